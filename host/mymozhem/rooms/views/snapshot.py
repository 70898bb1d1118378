"""A snapshot of a room for one caller: room, state, people and cursor."""

from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import JsonObject, Level, Role
from mymozhem.rooms.app_calls.retry import count_pending
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.event_log import VisibleEvent, current_cursor, epoch_of
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.revision import room_state
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.scores import TOP

from .base import Timestamp, View
from .paging import PageRequest
from .participants import ParticipantView, participant_view
from .standings import StandingView, points_hidden, rank_of, standings
from .windows import OwnSubmissionView, WindowView, open_windows, own_submissions


class StateView(View):
    """The parts of the app's state that the caller may see."""

    public: JsonObject
    organizer: JsonObject | None = None


class MeView(View):
    """The caller in a room; without a row of their own, only the role.

    Points and rank are absent while a window hides the standings.
    """

    role: Role | None
    participant: ParticipantView | None = None
    own: JsonObject | None = None
    submissions: list[OwnSubmissionView] = []
    points: int | None = None
    rank: int | None = None


class Snapshot(View):
    """A room's state and the cursor that belongs to it, from one consistent read.

    `tallying` counts the calls that wait for the app; they are retried automatically.
    """

    cursor: str
    epoch: str
    now: Timestamp
    state: StateView
    windows: list[WindowView]
    standings: list[StandingView]
    tallying: int
    me: MeView


class Waiting(View):
    """The number of calls that wait for the app and are retried."""

    waiting: int


class LoggedEvent(View):
    """An event of the log; `cursor` is where the caller is after it."""

    cursor: str
    type: str
    payload: dict[str, JsonValue]
    at: Timestamp
    schema_version: int
    after_end: bool


def event_view(event: VisibleEvent) -> LoggedEvent:
    """Return an event of the log as it is shown."""
    return LoggedEvent(
        cursor=event.cursor,
        type=event.type,
        payload=event.payload,
        at=event.at,
        schema_version=event.schema_version,
        after_end=event.after_end,
    )


async def snapshot(session: AsyncSession, membership: Membership, *, now: datetime) -> Snapshot:
    """Return the room's state, its standings and the caller's own part, with their cursor."""
    state = await room_state(session, membership.room.id)
    shown: dict[str, Any] = {"public": state.public}
    if membership.level is Level.ORGANIZER:
        shown["organizer"] = state.organizer
    return Snapshot(
        cursor=await current_cursor(session, membership),
        epoch=epoch_of(membership),
        now=now,
        state=StateView(**shown),
        windows=await open_windows(session, membership, now=now),
        standings=(await standings(session, membership, PageRequest(limit=TOP))).items,
        tallying=await count_pending(session, membership.room.id),
        me=await _me(session, membership),
    )


async def read_state(services: Services, room_id: str, caller: Principal | None) -> Snapshot:
    """Return the room's state to a caller whom the table lets read it."""
    async with read_as(services, room_id, caller, "GET /rooms/{id}/state") as (session, membership):
        return await snapshot(session, membership, now=services.clock.now())


async def _me(session: AsyncSession, membership: Membership) -> MeView:
    row = membership.participant
    if row is None:
        return MeView(role=membership.role, submissions=[])
    person = await session.get_one(UserRow, row.user_id)
    me = MeView(
        role=membership.role,
        participant=participant_view(membership, row, person),
        own=row.own,
        submissions=await own_submissions(session, membership),
    )
    if points_hidden(membership):
        return me
    return me.model_copy(update={"points": row.points, "rank": await rank_of(session, row)})
