"""Actions: somebody in a room asks the app to do something."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import ActionRequest, ActionResult, DecidedBy, JsonObject, Role, RoomStatus
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from mymozhem.manifests.model import ActionSpec, Manifest

from .asking import Question, look_ask_write
from .effects import apply_effects
from .fallbacks import record_fallback
from .log import cursor_of
from .requests import Revision, build_context, revision
from .seats import MEMBERS, Seat, require_seat
from .services import Services
from .tables import RoomRow
from .writer import RoomWriter


@dataclass(frozen=True)
class Acted:
    """What came of an action: the app's reply, and the caller's cursor right after it."""

    reply: JsonValue
    cursor: str


async def perform(
    services: Services, room_id: str, caller: Principal, action: str, payload: JsonObject
) -> Acted:
    """Do an action of the room's app; its effects are applied all or none.

    NotFound for an action that the manifest does not declare, Forbidden for a role that may not,
    Conflict in a status in which it cannot be done, Invalid where the payload breaks its schema,
    Refused in the app's own words, RoomBusy, or Unavailable where the app did not answer.
    """
    performance = _Performance(services, room_id, caller, action, payload)
    return await look_ask_write(
        services,
        room_id,
        HANDLE_ACTION,
        look=performance.look,
        again=performance.again,
        write=performance.write,
        budget=Budget(services.clock, services.settings.action_budget_ms),
    )


class _Performance:
    """One action on its way: looked at, asked about, written."""

    def __init__(
        self,
        services: Services,
        room_id: str,
        caller: Principal,
        action: str,
        payload: JsonObject,
    ) -> None:
        self._services = services
        self._room_id = room_id
        self._caller = caller
        self._action = action
        self._payload = payload
        self._received_at: datetime = services.clock.now()

    async def look(self, session: AsyncSession) -> Question[ActionRequest]:
        """See who asks for what, in which room."""
        seat = await require_seat(session, self._room_id, self._caller, roles=MEMBERS)
        manifest = self._services.catalog.manifest(seat.room.app_id, seat.room.app_manifest_version)
        check_action(manifest, seat, self._action, self._payload)
        return Question(
            context=await build_context(
                session,
                self._services,
                seat.room,
                manifest,
                hook=HANDLE_ACTION,
                name=self._action,
                now=self._services.clock.now(),
                seat=seat,
                received_at=self._received_at,
            ),
            request=ActionRequest(action=self._action, payload=self._payload),
            revision=await revision(session, seat.room, seat),
            actor_id=self._caller.user_id,
        )

    async def again(self, writer: RoomWriter) -> Revision:
        """Read the revision under the room's lock."""
        self._seat = await require_seat(writer.session, self._room_id, self._caller, roles=MEMBERS)
        return await revision(writer.session, writer.room, self._seat)

    async def write(self, writer: RoomWriter, outcome: Outcome[ActionResult]) -> Acted:
        """Apply what the app answered."""
        outcome.raise_if_refused()
        outcome.raise_if_failed()
        if outcome.result is None:
            message = "The app does not take actions."
            raise Unavailable(message, code="APP_NOT_IMPLEMENTED")
        if outcome.decided_by is not DecidedBy.APP:
            record_fallback(writer, HANDLE_ACTION, outcome)
        reply = await apply_effects(writer, outcome.result.effects)
        return Acted(reply, await cursor_of(writer, self._seat))


def check_action(manifest: Manifest, seat: Seat, action: str, payload: JsonObject) -> None:
    """Raise where this caller cannot do this action in this room now, or not with this payload."""
    spec = manifest.actions.get(action)
    if spec is None:
        message = f"The app has no action {action!r}."
        raise NotFound(message, code="ACTION_NOT_FOUND")
    _refuse_role(spec, seat.role)
    _refuse_status(spec, seat.room)
    problems = spec.validator.errors(payload)
    if problems:
        fields: dict[str, list[str]] = {}
        for problem in problems:
            fields.setdefault(problem.pointer or "/", []).append(problem.message)
        raise Invalid(code="PAYLOAD_INVALID", fields=fields)


def _refuse_role(spec: ActionSpec, role: Role | None) -> None:
    # An admin may do what an organizer may.
    asked = {role, Role.ORGANIZER} if role is Role.ADMIN else {role}
    if not asked & spec.roles:
        message = "Your role may not do this."
        raise Forbidden(message, details={"roles": sorted(spec.roles)})


def _refuse_status(spec: ActionSpec, room: RoomRow) -> None:
    if RoomStatus(room.status) not in spec.when:
        message = f"This cannot be done while the room is {room.status}."
        raise Conflict(message, code="ACTION_NOT_NOW", details={"when": sorted(spec.when)})
