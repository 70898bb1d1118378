"""Apps with which rooms can be created, and the versions of their manifests."""

from collections.abc import Sequence
from typing import Any

from quart import request

from mymozhem.api.idempotency import Repeat
from mymozhem.api.query_models import LatestQuery, paged
from mymozhem.api.request_models import Payload
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.apps.access import find_owner
from mymozhem.apps.validate import validate_document
from mymozhem.contract import JsonObject, Level, PersonKind
from mymozhem.errors import UnsupportedMediaType
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.problems import Problem
from mymozhem.registry.manifest_history import Published
from mymozhem.registry.remote_apps import Owner
from mymozhem.registry.snapshot import CatalogApp
from mymozhem.registry.tables import SecretKind, StopCause
from mymozhem.rooms.views.base import Timestamp, View
from mymozhem.rooms.views.paging import ResultPage
from mymozhem.rooms.views.room_models import manifest_view

routes = Routes("apps", "Apps, and the versions of their manifests.")
#: the validation itself reports a manifest over 256 KiB
MANIFEST_BYTES = 1024 * 1024


class AppCardView(View):
    """An app as its manifest describes it; `available` says whether it can have new rooms.

    `baseUrl` is null for an app inside the host, and absent for guests. `updatedAt` is when the
    newest version was published.
    """

    app_id: str
    name: str
    description: str
    icon: str | None
    newest_version: str
    available: bool
    capabilities: list[str]
    created_at: Timestamp
    updated_at: Timestamp
    base_url: str | None = None


class KeyView(View):
    """A valid key of a remote app; `publicKey` is null for a shared secret."""

    id: str
    kind: SecretKind
    public_key: str | None
    created_at: Timestamp
    expires_at: Timestamp | None


class StopView(View):
    """Who stopped an app, when, and why."""

    at: Timestamp
    cause: StopCause
    reason: str


class ManagementView(View):
    """The data of an app for its managers."""

    owner_email: str | None
    keys: list[KeyView]
    stopped: StopView | None


class AppWholeView(AppCardView):
    """An app with its newest manifest, and every published version.

    `management` is present for admins and for the app's owner.
    """

    manifest: JsonObject
    versions: list[str]
    management: ManagementView | None = None


class VersionView(View):
    """A published version of a manifest."""

    app_id: str
    version: str
    digest: str
    published_at: Timestamp
    deprecated_at: Timestamp | None
    reason: str | None
    deadline: Timestamp | None
    manifest: JsonObject | None = None


class ProblemView(View):
    """One problem of a manifest, and what to write instead."""

    pointer: str
    code: str
    message: str
    hint: str


class ReportView(View):
    """The problems of a manifest; empty if it is valid.

    `remarks` are what the author of a valid one probably did not mean.
    """

    valid: bool
    problems: list[ProblemView]
    remarks: list[ProblemView]


@routes.add("GET /apps")
async def list_apps(context: RequestContext, query: LatestQuery) -> Page[AppCardView]:
    """List apps with which rooms can be created, or were."""
    cards = [_card(context, app) for app in context.services.catalog.apps()]
    part = query.part
    return paged(ResultPage(cards[part.offset : part.offset + part.limit], len(cards)), query)


@routes.add("GET /apps/{appId}")
async def get_app(context: RequestContext, app_id: str) -> AppWholeView:
    """Return an app with its newest manifest; guests do not see its settings."""
    app = context.services.catalog.get(app_id)
    whole = AppWholeView(
        **_fields(_card(context, app)),
        manifest=shown_manifest(context, app.newest()),
        versions=[each.manifest.version for each in app.versions],
    )
    owner = await find_owner(context.services, context.caller, app_id)
    if owner is None:
        return whole
    return whole.model_copy(update={"management": _management(app, owner)})


@routes.add(
    "POST /apps/validate-manifest", repeat=Repeat.FREE, max_bytes=MANIFEST_BYTES,
    refuses=frozenset({413, 415}), takes=Payload,
)  # fmt: skip
async def validate_manifest(context: RequestContext, raw: bytes) -> ReportView:
    """Return all problems of a manifest: where, why, and what to write instead."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    report = await validate_document(context.services, context.caller, raw)
    return ReportView(
        valid=report.valid, problems=_problems(report.problems), remarks=_problems(report.remarks)
    )


def _problems(found: Sequence[Problem]) -> list[ProblemView]:
    return [
        ProblemView(pointer=each.pointer, code=each.code, message=each.message, hint=each.hint)
        for each in found
    ]


def _fields(card: AppCardView) -> dict[str, Any]:
    return {name: getattr(card, name) for name in card.model_fields_set}


def _card(context: RequestContext, app: CatalogApp) -> AppCardView:
    newest = app.newest()
    published = [each.published_at for each in app.versions]
    card = AppCardView(
        app_id=app.app_id,
        name=newest.meta.name,
        description=newest.meta.description,
        icon=newest.meta.icon,
        newest_version=newest.version,
        available=app.available,
        capabilities=sorted(newest.capabilities),
        created_at=min(published),
        updated_at=max(published),
    )
    if context.caller.kind is PersonKind.GUEST:
        return card
    return card.model_copy(update={"base_url": newest.base_url})


def seen_version(each: Published) -> VersionView:
    """Return a published version without its manifest."""
    return VersionView(
        app_id=each.app_id,
        version=each.manifest.version,
        digest=each.manifest.digest,
        published_at=each.published_at,
        deprecated_at=each.deprecated_at,
        reason=each.reason,
        deadline=each.deadline,
    )


def _management(app: CatalogApp, owner: Owner) -> ManagementView:
    stopped = app.facts.stopped
    return ManagementView(
        owner_email=owner.email,
        keys=[
            KeyView(
                id=each.kid,
                kind=each.kind,
                public_key=each.public_key,
                created_at=each.created_at,
                expires_at=each.expires_at,
            )
            for each in app.facts.keys
        ],
        stopped=StopView(at=stopped.at, cause=stopped.cause, reason=stopped.reason)
        if stopped
        else None,
    )


def shown_manifest(context: RequestContext, manifest: Manifest) -> JsonObject:
    """Return a manifest as the caller may see it: guests do not see settings."""
    guest = context.caller.kind is PersonKind.GUEST
    return manifest_view(manifest, Level.PUBLIC if guest else Level.ORGANIZER)
