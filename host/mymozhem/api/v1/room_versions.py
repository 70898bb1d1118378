"""Move rooms to another version of their app: plan, upgrade, roll back, and many together."""

from pydantic import Field, JsonValue

from mymozhem.api.idempotency import Repeat
from mymozhem.api.request_models import RollbackBody, UpgradeBody, UpgradeRoomsBody
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.contract import JsonObject
from mymozhem.errors import MymozhemError
from mymozhem.manifests.referee import as_json
from mymozhem.rooms.upgrades.bulk import BulkUpgradeRequest, NeedsAnswer, upgrade_rooms
from mymozhem.rooms.upgrades.form import FormField
from mymozhem.rooms.upgrades.migrate import Strategy
from mymozhem.rooms.upgrades.plan import Plan
from mymozhem.rooms.upgrades.procedure import Moved, MoveRequest
from mymozhem.rooms.upgrades.rollback import roll_back
from mymozhem.rooms.upgrades.upgrade import UpgradeRequest, upgrade_room
from mymozhem.rooms.views.base import View

from .admin import require_admin
from .rooms import expected_version

routes = Routes("rooms", "Rooms: create, find, change and play them.")

#: the maximum number of fields that a list of rooms shows per room
FEW = 5
#: details of a refusal that the plan contains already
_TOLD_ELSEWHERE = ("fields", "form", "reasons")


class FieldView(View):
    """A setting to be added, changed, or (`UNKNOWN_FIELD`) removed by null.

    `schema` is that of the manifest; `default` is absent if there is none.
    """

    pointer: str
    type: JsonValue
    title: str | None
    description: str | None
    code: str
    problem: str
    definition: JsonObject | None = Field(alias="schema")
    default: JsonValue = None


class RefusalView(View):
    """Why a room cannot be moved now."""

    code: str
    message: str
    details: JsonObject


class ConsentView(View):
    """A change that the organizer has to agree to."""

    pointer: str
    code: str
    message: str


class PlanView(View):
    """The plan of moving a room.

    `changes` is the referee's comparison of the two manifests. The settings are complete, except
    private ones; `stateChanges` names the parts of the state that change. `fields` and `reasons`
    say why no migration fits (`manual`); `notes` are the app's.
    """

    version_before: str = Field(alias="from")
    version_after: str = Field(alias="to")
    strategy: Strategy
    allowed: bool
    refusals: list[RefusalView]
    changes: JsonObject
    consents: list[ConsentView]
    settings_before: JsonValue
    settings_after: JsonValue
    state_changes: list[str]
    fields: list[FieldView]
    reasons: list[str]
    notes: list[str]


class MoveView(View):
    """The result: whether the room was moved, and the digest of its lock now."""

    room_id: str
    moved: bool
    lock: str
    plan: PlanView


class QuestionView(View):
    """A room that cannot be moved without its organizer, and the first reason why.

    `strategy` is null if no plan could be made at all. `fields` are the first of the requested
    settings.
    """

    room_id: str
    name: str
    strategy: Strategy | None
    code: str
    message: str
    fields: list[FieldView]


class BulkView(View):
    """How many rooms were checked, clean, moved, or need their organizer.

    `active` rooms are running and cannot be moved now. `listed` are the first of these and of those
    that need their organizer. `left` were not checked: repeat the request with `next` as `after`;
    it is null if none is left.
    """

    summary: str
    rooms: int
    clean: int
    upgraded: int
    need_answer: int
    active: int
    listed: list[QuestionView]
    left: int
    next: str | None


@routes.add("POST /rooms/{id}/upgrade-manifest", refuses=frozenset({409, 412}))
async def upgrade_manifest(context: RequestContext, id: str, body: UpgradeBody) -> MoveView:
    """Move a room to another version of its app, or, with `dryRun`, return the plan.

    With `If-Match`, only if nobody has changed the room since.
    """
    wish = UpgradeRequest(
        dry_run=body.dry_run,
        expected=expected_version(context.if_match),
        target=body.target_version,
        migration_data=body.migration_data,
        consent=body.consent,
    )
    return _moved(id, await upgrade_room(context.services, id, context.caller, wish))


@routes.add("POST /rooms/{id}/rollback-manifest", refuses=frozenset({409, 412}))
async def rollback_manifest(context: RequestContext, id: str, body: RollbackBody) -> MoveView:
    """Return a room to its previous lock, with the settings of that time.

    With `If-Match`, only if nobody has changed the room since.
    """
    wish = MoveRequest(dry_run=body.dry_run, expected=expected_version(context.if_match))
    return _moved(id, await roll_back(context.services, id, context.caller, wish))


@routes.add("POST /apps/{appId}/upgrade-rooms", repeat=Repeat.FREE, refuses=frozenset({404}))
async def upgrade_app_rooms(
    context: RequestContext, app_id: str, body: UpgradeRoomsBody
) -> BulkView:
    """Move the rooms of an app that need no organizer, or, with `dryRun`, count them.

    Idempotent: rooms that were moved are not moved again.
    """
    await require_admin(context, "POST /apps/{appId}/upgrade-rooms")
    wish = BulkUpgradeRequest(
        source=body.source,
        target=body.to,
        dry_run=body.dry_run,
        consent=body.consent,
        after=body.after,
        most=body.limit,
    )
    bulk = await upgrade_rooms(context.services, app_id, context.caller, wish)
    return BulkView(
        summary=bulk.summary,
        rooms=bulk.rooms,
        clean=bulk.clean,
        upgraded=bulk.upgraded,
        need_answer=bulk.need_answer,
        active=bulk.active,
        listed=[_question(each) for each in bulk.listed],
        left=bulk.left,
        next=bulk.last,
    )


def _moved(room_id: str, done: Moved) -> MoveView:
    return MoveView(room_id=room_id, moved=done.moved, lock=done.lock, plan=_plan(done.plan))


def _plan(plan: Plan) -> PlanView:
    return PlanView(
        version_before=plan.version_before,
        version_after=plan.version_after,
        strategy=plan.strategy,
        allowed=plan.allowed,
        refusals=[_refusal(each) for each in plan.refusals],
        changes=as_json(plan.diff),
        consents=[
            ConsentView(pointer=each.pointer, code=each.code, message=each.message)
            for each in plan.consents
        ],
        settings_before=plan.settings_before,
        settings_after=plan.settings_after,
        state_changes=sorted(plan.changed_state),
        fields=[_field(each) for each in plan.carried.fields],
        reasons=list(plan.carried.reasons),
        notes=list(plan.carried.notes),
    )


def _refusal(error: MymozhemError) -> RefusalView:
    facts = {key: value for key, value in error.details.items() if key not in _TOLD_ELSEWHERE}
    return RefusalView.model_validate(
        {"code": error.code, "message": error.message, "details": facts}
    )


def _field(field: FormField) -> FieldView:
    seen = FieldView(
        pointer=field.pointer,
        type=field.type,
        title=field.title,
        description=field.description,
        code=field.code,
        problem=field.problem,
        definition=field.schema,
    )
    return seen.model_copy(update={"default": field.default[0]}) if field.default else seen


def _question(need: NeedsAnswer) -> QuestionView:
    fields = need.plan.carried.fields[:FEW] if need.plan else ()
    return QuestionView(
        room_id=need.room_id,
        name=need.name,
        strategy=need.strategy,
        code=need.error.code,
        message=need.error.message,
        fields=[_field(each) for each in fields],
    )
