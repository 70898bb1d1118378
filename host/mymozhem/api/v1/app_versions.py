"""The history of an app: its versions, their differences, and which are offered."""

from pydantic import Field, JsonValue

from mymozhem.api.query_models import DiffQuery, LatestQuery, paged
from mymozhem.api.request_models import DeprecationBody
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.apps import deprecate
from mymozhem.apps.compare import compare_versions, find_version
from mymozhem.manifests.referee import Bump, Consenter, as_json
from mymozhem.rooms.views.base import View
from mymozhem.rooms.views.paging import ResultPage

from .apps import VersionView, seen_version, shown_manifest

routes = Routes("apps", "Apps, and the versions of their manifests.")


class ChangeView(View):
    """One difference, its class, and who has to agree to it.

    `known` is false if its effect is unknown: then it counts as major.
    """

    pointer: str
    code: str
    bump: Bump = Field(alias="class")
    known: bool
    message: str
    consent: Consenter | None
    before: JsonValue
    after: JsonValue


class DiffView(View):
    """The changes from one version to another.

    `required` is the largest class among the changes, `declared` is the bump between the two
    versions, null if the second is not greater.
    """

    app_id: str
    old_version: str
    new_version: str
    required: Bump
    declared: Bump | None
    sufficient: bool
    changes: list[ChangeView]


class DeprecationView(VersionView):
    """A version that is no longer offered, or again; and how many organizers were notified now."""

    told: int


@routes.add("GET /apps/{appId}/versions")
async def list_versions(
    context: RequestContext, app_id: str, query: LatestQuery
) -> Page[VersionView]:
    """List the published versions of an app, oldest first."""
    published = context.services.catalog.get(app_id).versions
    part = query.part
    found = [seen_version(each) for each in published]
    return paged(ResultPage(found[part.offset : part.offset + part.limit], len(found)), query)


@routes.add("GET /apps/{appId}/versions/{v}")
async def get_version(context: RequestContext, app_id: str, v: str) -> VersionView:
    """Return a published version with its manifest."""
    published = find_version(context.services, app_id, v)
    shown = {"manifest": shown_manifest(context, published.manifest)}
    return seen_version(published).model_copy(update=shown)


@routes.add("GET /apps/{appId}/diff")
async def get_diff(context: RequestContext, app_id: str, query: DiffQuery) -> DiffView:
    """Return the changes from one version to another, and who must agree to each."""
    diff = await compare_versions(
        context.services, context.caller, app_id, query.before, query.after
    )
    return DiffView.model_validate({"appId": app_id, **as_json(diff)})


@routes.add("POST /apps/{appId}/deprecate-version")
async def deprecate_version(
    context: RequestContext, app_id: str, body: DeprecationBody
) -> DeprecationView:
    """Stop offering a version to new rooms, or offer it again; notify organizers of its rooms.

    Rooms keep the version that they are locked to. Idempotent: the same again notifies nobody.
    """
    done = await deprecate.deprecate_version(
        context.services,
        context.caller,
        app_id,
        body.version,
        reason=body.reason,
        deadline=body.deadline,
        lift=body.lift,
    )
    return DeprecationView(**seen_version(done.version).__dict__, told=done.notified)
