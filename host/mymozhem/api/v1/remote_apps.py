"""Remote apps: registered by admins, managed by their owners; and how they sign in."""

from mymozhem.api.idempotency import Repeat
from mymozhem.api.query_models import DeletionQuery
from mymozhem.api.request_models import (
    AppTokenBody,
    ManifestBody,
    NewAppBody,
    RegenerateBody,
    StopBody,
)
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.apps import delete, kill_switch, publish, register
from mymozhem.apps.secrets import rotate_secret
from mymozhem.apps.sign_in import sign_in_app
from mymozhem.contract import JsonObject
from mymozhem.errors import Unauthenticated
from mymozhem.rooms.views.base import Deleted, Timestamp, View, deleted

from .apps import MANIFEST_BYTES, VersionView, seen_version

routes = Routes("apps", "Apps, and the versions of their manifests.")
_BEARER = "Bearer"


class RegisteredView(View):
    """A new remote app; its `appSecret` is never shown again."""

    app_id: str
    app_secret: str
    public_key: str
    manifest: JsonObject
    created_at: Timestamp


class SecretView(View):
    """A new secret, never shown again; `publicKey` is the newest, maybe unchanged."""

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
    """Whether an app is stopped; the last two fields are null if it is not."""

    app_id: str
    stopped: bool
    stopped_at: Timestamp | None
    reason: str | None


@routes.add(
    "POST /apps", status=201, repeat=Repeat.SECRET, max_bytes=MANIFEST_BYTES,
    refuses=frozenset({409, 413}),
)  # fmt: skip
async def register_app(context: RequestContext, body: NewAppBody) -> RegisteredView:
    """Register a remote app with its first manifest; the secret is only shown here.

    Without `ownerEmail` the owner is the admin who registers it.
    """
    made = await register.register_app(
        context.services, context.caller, body.app_id, body.manifest, owner_email=body.owner_email
    )
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

    A version never changes, and a new one must be greater than all before, by the bump that its
    changes require: otherwise 409 VERSION_IMMUTABLE, VERSION_NOT_GREATER, or BUMP_TOO_SMALL with
    every change. Another permission or another host requires an admin's consent: 409
    CONSENT_REQUIRED. Idempotent for the same manifest.
    """
    published = await publish.publish_version(
        context.services, context.caller, app_id, body.manifest, consent=body.consent
    )
    return seen_version(published).model_copy(update={"manifest": published.manifest.document})


@routes.add("DELETE /apps/{appId}", refuses=frozenset({409}))
async def delete_app(context: RequestContext, app_id: str, query: DeletionQuery) -> Deleted:
    """Delete a remote app: it is no longer offered; its rooms stay readable, without the app.

    While a room of it is DRAFT or ACTIVE, the answer is 409 APP_IN_USE with the list of rooms; an
    admin can `force` the deletion.
    """
    at = await delete.delete_app(context.services, context.caller, app_id, force=query.force)
    return deleted(app_id, at)


@routes.add("POST /apps/{appId}/regenerate-secret", repeat=Repeat.SECRET, refuses=frozenset({409}))
async def regenerate_secret(
    context: RequestContext, app_id: str, body: RegenerateBody
) -> SecretView:
    """Replace a remote app's secret; the new one is only shown here.

    During the grace period calls are signed with both. A grace period of 0 hours ends the old
    secret immediately. With `keyPair` the host's key pair is replaced as well.
    """
    rotated = await rotate_secret(
        context.services,
        context.caller,
        app_id,
        grace_hours=body.grace_hours,
        key_pair=body.key_pair,
    )
    return SecretView(
        app_id=app_id,
        app_secret=rotated.secret,
        public_key=rotated.public_key,
        grace_hours=rotated.grace_hours,
    )


@routes.add(
    "POST /apps/token", anonymous=True, repeat=Repeat.FREE, refuses=frozenset({401, 403, 429})
)
async def issue_app_token(context: RequestContext, body: AppTokenBody) -> AppTokenView:
    """Return a token for a remote app's secret; its newest manifest defines the permissions.

    The token expires with the secret if that is earlier. After too many failures from one address
    the response to a wrong secret is 429; a right one passes.
    """
    try:
        token = await sign_in_app(
            context.services,
            body.app_id,
            body.app_secret,
            check=context.host.app_secrets,
            tokens=context.host.tokens,
        )
    except Unauthenticated:
        context.host.limits.count_failure("app", context.address)
        raise
    return AppTokenView(
        access_token=token.access_token, token_type=_BEARER, expires_in=token.expires_in
    )


@routes.add("POST /admin/apps/{appId}/stop")
async def stop_app(context: RequestContext, app_id: str, body: StopBody) -> SwitchView:
    """Stop an app, remote or installed: the host does not call it, and refuses its tokens.

    Its rooms continue with what the manifest declares for failures. Idempotent.
    """
    await kill_switch.stop_app(context.services, context.caller, app_id, body.reason)
    return _switch(context, app_id)


@routes.add("POST /admin/apps/{appId}/start")
async def start_app(context: RequestContext, app_id: str) -> SwitchView:
    """Start an app again that was stopped, or that had reported that it was gone."""
    await kill_switch.start_app(context.services, context.caller, app_id)
    return _switch(context, app_id)


def _switch(context: RequestContext, app_id: str) -> SwitchView:
    stopped = context.services.catalog.get(app_id).facts.stopped
    return SwitchView(
        app_id=app_id,
        stopped=stopped is not None,
        stopped_at=stopped.at if stopped else None,
        reason=stopped.reason if stopped else None,
    )
