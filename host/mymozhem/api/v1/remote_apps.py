"""Remote apps: registered by admins, managed by their owners, and how they sign in."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.api.idempotency import Repeat
from mymozhem.api.request_models import (
    AppTokenBody,
    ManifestBody,
    NewAppBody,
    RegenerateBody,
    StopBody,
)
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.access_table import check, rule_for
from mymozhem.auth.accounts import find_account, normal_email
from mymozhem.auth.users import current_user
from mymozhem.contract import JsonObject
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from mymozhem.idempotency.keys import mark_done
from mymozhem.manifests.model import Manifest
from mymozhem.registry import kill_switch, remote_apps
from mymozhem.registry.remote_apps import Owner
from mymozhem.rooms.core.audit import audit
from mymozhem.rooms.views.base import Timestamp, View

from .apps import MANIFEST_BYTES, VersionView, seen_version

routes = Routes("apps", "Apps, and the versions of their manifests.")
_BEARER = "Bearer"


class RegisteredView(View):
    """A remote app that was registered just now; `appSecret` is never shown again."""

    app_id: str
    app_secret: str
    public_key: str
    manifest: JsonObject
    created_at: Timestamp


class SecretView(View):
    """A new secret, never shown again; `publicKey` is the newest, it may be the one before."""

    app_id: str
    app_secret: str
    public_key: str
    grace_hours: int


class AppTokenView(View):
    """A token of an app; `expiresIn` in seconds."""

    access_token: str
    token_type: str
    expires_in: int


class SwitchView(View):
    """Whether an app is stopped; the last two are null where it is not."""

    app_id: str
    stopped: bool
    stopped_at: Timestamp | None
    reason: str | None


@routes.add(
    "POST /apps", status=201, repeat=Repeat.SECRET, max_bytes=MANIFEST_BYTES,
    refuses=frozenset({409, 413}),
)  # fmt: skip
async def register_app(context: RequestContext, body: NewAppBody) -> RegisteredView:
    """Register a remote app with its first manifest; the secret is shown this once.

    Without `ownerEmail` it belongs to the admin who registers it.
    """
    async with context.services.database.read() as session:
        owner = await _owner(session, context, body.owner_email)
    manifest = await _admissible(context, body.manifest, body.app_id)
    async with context.services.database.write() as unit:
        made = await remote_apps.register(
            unit, context.services.keys, body.app_id, manifest, owner=owner
        )
        await noted(context, unit, "app.register", body.app_id, version=manifest.version)
    await announced(context)
    return RegisteredView(
        app_id=made.app_id,
        app_secret=made.secret,
        public_key=made.public_key,
        manifest=made.manifest.document,
        created_at=made.created_at,
    )


@routes.add("PATCH /apps/{appId}", max_bytes=MANIFEST_BYTES, refuses=frozenset({409, 413}))
async def publish_version(context: RequestContext, app_id: str, body: ManifestBody) -> VersionView:
    """Publish a new version of a remote app; rooms stay at the version that they have.

    A version never changes, and a new one is greater than all before by as much as it changes:
    409 VERSION_IMMUTABLE, VERSION_NOT_GREATER, BUMP_TOO_SMALL with every change. A permission more,
    or another host, takes an admin's consent: 409 CONSENT_REQUIRED. The same manifest again changes
    nothing.
    """
    admin = await may_manage(context, "PATCH /apps/{appId}", app_id)
    manifest, consent = await _admissible(context, body.manifest, app_id), admin and body.consent
    await remote_apps.foresee(context.services.database, app_id, manifest, consent=consent)
    async with context.services.database.write() as unit:
        published = await remote_apps.publish(unit, app_id, manifest, consent=consent)
        await noted(context, unit, "app.publish", app_id, version=manifest.version)
    await announced(context)
    return seen_version(published).model_copy(update={"manifest": manifest.document})


@routes.add("DELETE /apps/{appId}", refuses=frozenset({409}))
async def delete_app(context: RequestContext, app_id: str) -> None:
    """Take a remote app away: it is offered no more; its rooms stay readable, without the app."""
    await may_manage(context, "DELETE /apps/{appId}", app_id)
    async with context.services.database.write() as unit:
        await remote_apps.delete(unit, app_id)
        await noted(context, unit, "app.delete", app_id)
    await announced(context)


@routes.add("POST /apps/{appId}/regenerate-secret", repeat=Repeat.SECRET, refuses=frozenset({409}))
async def regenerate_secret(
    context: RequestContext, app_id: str, body: RegenerateBody
) -> SecretView:
    """Give a remote app a new secret, shown this once; calls are signed with both for the grace.

    A grace of 0 hours ends the old one at once. With `keyPair` the host's pair is renewed as well.
    """
    await may_manage(context, "POST /apps/{appId}/regenerate-secret", app_id)
    hours = body.grace_hours
    if hours is None:
        hours = context.services.settings.app_secret_grace_hours
    grace = timedelta(hours=hours)
    async with context.services.database.write() as unit:
        keys = await remote_apps.renew_keys(
            unit, context.services.keys, app_id, grace=grace, key_pair=body.key_pair
        )
        await noted(context, unit, "app.secret", app_id, graceHours=hours)
    await announced(context)
    return SecretView(
        app_id=app_id, app_secret=keys.secret, public_key=keys.public_key, grace_hours=hours
    )


@routes.add(
    "POST /apps/token", anonymous=True, repeat=Repeat.FREE, refuses=frozenset({401, 403, 429})
)
async def issue_app_token(context: RequestContext, body: AppTokenBody) -> AppTokenView:
    """Let a remote app sign in with its secret; the token may do what its newest manifest says.

    It ends with the secret, where that ends first.
    Too many wrong ones from one address are answered with 429, before any is compared.
    """
    context.host.limits.require_attempts_left("app", context.address)
    now = await context.services.database.now()
    async with context.services.database.read() as session:
        key_id = await remote_apps.matching_key(
            session, context.host.app_secrets, body.app_id, body.app_secret, now=now
        )
    if key_id is None:
        context.host.limits.count_failure("app", context.address)
        message = "App and secret do not belong together."
        raise Unauthenticated(message, code="INVALID_CREDENTIALS")
    await context.services.catalog.refresh_if_news()  # another process may have registered it
    app = context.services.catalog.get(body.app_id)
    if app.facts.stopped is not None:
        raise Forbidden(
            "This app is stopped; ask the operator of the platform.", code="APP_STOPPED"
        )
    token = context.host.tokens.issue_app(body.app_id, app.newest().permissions, key_id=key_id)
    return AppTokenView(
        access_token=token.access_token, token_type=_BEARER, expires_in=token.expires_in
    )


@routes.add("POST /admin/apps/{appId}/stop")
async def stop_app(context: RequestContext, app_id: str, body: StopBody) -> SwitchView:
    """Stop an app, remote or installed: it is not called any more, and its tokens are refused.

    Its rooms go on with what the manifest declares for failures. Twice changes nothing.
    """
    await may_manage(context, "POST /admin/apps/{appId}/stop", app_id)
    async with context.services.database.write() as unit:
        await kill_switch.stop(unit, app_id, body.reason)
        await noted(context, unit, "app.stop", app_id, reason=body.reason)
    return await _switch(context, app_id)


@routes.add("POST /admin/apps/{appId}/start")
async def start_app(context: RequestContext, app_id: str) -> SwitchView:
    """Let an app that was stopped, or that had said it was gone, be called again."""
    await may_manage(context, "POST /admin/apps/{appId}/start", app_id)
    async with context.services.database.write() as unit:
        await kill_switch.start(unit, app_id)
        await noted(context, unit, "app.start", app_id)
    return await _switch(context, app_id)


async def _owner(session: AsyncSession, context: RequestContext, email: str | None) -> Owner:
    """Return who a new app will belong to; raises where the caller may not register any."""
    user = await current_user(session, context.caller)
    check(rule_for("POST /apps"), context.caller, None, admin=user.is_admin)
    if email is None:
        return Owner(user.id, user.email)
    try:
        address = normal_email(email)
    except Invalid as error:
        problem = "Give an address like name@example.com."
        raise Invalid(error.message, fields={"/ownerEmail": [problem]}) from error
    found = await find_account(session, address)
    return Owner(found.id if found else None, address)


async def may_manage(context: RequestContext, endpoint: str, app_id: str) -> bool:
    """Raise unless the caller is an admin, or owns the app; tell whether they are an admin."""
    async with context.services.database.read() as session:
        user = await current_user(session, context.caller)
        owner = await remote_apps.owner_of(session, app_id)
    own = owner.user_id == user.id
    check(rule_for(endpoint), context.caller, None, admin=user.is_admin, own=own)
    return user.is_admin


async def noted(
    context: RequestContext, unit: UnitOfWork, action: str, app_id: str, **details: object
) -> None:
    """Note who did what for operators, and that the request was done."""
    audit(unit, action, actor_id=context.caller.user_id, appId=app_id, **details)
    await mark_done(unit.session)


async def announced(context: RequestContext) -> None:
    """Let this process know at once; where it cannot look now, it does so by itself soon."""
    with suppress(Unavailable):
        await context.services.catalog.refresh()


async def _switch(context: RequestContext, app_id: str) -> SwitchView:
    await context.services.catalog.refresh()
    stopped = context.services.catalog.get(app_id).facts.stopped
    return SwitchView(
        app_id=app_id,
        stopped=stopped is not None,
        stopped_at=stopped.at if stopped else None,
        reason=stopped.reason if stopped else None,
    )


async def _admissible(context: RequestContext, document: JsonObject, app_id: str) -> Manifest:
    """Look at a manifest in a thread: a large one takes seconds."""
    return await asyncio.to_thread(remote_apps.admissible, document, app_id, context.host.check_url)
