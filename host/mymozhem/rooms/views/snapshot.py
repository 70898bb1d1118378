"""What is in a room, read: people, prizes, winners, draws, state, log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.tables import UserRow
from mymozhem.contract import JsonObject, Level, ParticipantStatus, Role, WinnerStatus
from mymozhem.errors import Invalid, NotFound
from mymozhem.rooms.app_calls.retry import waiting_calls
from mymozhem.rooms.core.app_context import room_state
from mymozhem.rooms.core.event_log import SeenEvent, current_cursor, epoch_of
from mymozhem.rooms.core.membership import Seat
from mymozhem.rooms.draws.record import find_draw, list_draws
from mymozhem.rooms.scores import TOP
from mymozhem.rooms.tables.rooms import ParticipantRow, PrizeRow, WinnerRow

from .base import Moment, View
from .draws import SeenDraw, SeenPrize, SeenWinner, draw_view, prize_view, winner_view
from .paging import Columns, Found, Part, part_of
from .participants import SeenParticipant, participant_view
from .standings import SeenStanding, points_hidden, rank_of, standings
from .windows import SeenOwnSubmission, SeenWindow, open_windows, own_submissions

PEOPLE_BY: Columns = {
    "id": ParticipantRow.id,
    "displayName": ParticipantRow.display_name,
    "joinedAt": ParticipantRow.joined_at,
    "points": ParticipantRow.points,
}
PRIZES_BY: Columns = {
    "id": PrizeRow.id,
    "name": PrizeRow.name,
    "quantity": PrizeRow.quantity,
    "createdAt": PrizeRow.created_at,
}
WINNERS_BY: Columns = {
    "id": WinnerRow.id,
    "createdAt": WinnerRow.created_at,
    "updatedAt": WinnerRow.updated_at,
    "ordinal": WinnerRow.ordinal,
}


@dataclass(frozen=True)
class PeopleFilter:
    """Which participants; None leaves a filter out. `name` is the beginning of a display name."""

    role: Role | None = None
    status: ParticipantStatus | None = None
    name: str | None = None


@dataclass(frozen=True)
class WinnerFilter:
    """Which winners; None leaves a filter out."""

    prize_id: str | None = None
    participant_id: str | None = None
    draw_id: str | None = None
    status: WinnerStatus | None = None


class SeenState(View):
    """The parts of the app's state that a caller sees."""

    public: JsonObject
    organizer: JsonObject | None = None


class SeenMe(View):
    """The caller in a room; without a seat of their own nothing but the role.

    Points and rank are absent while a window hides the standings.
    """

    role: Role | None
    participant: SeenParticipant | None = None
    own: JsonObject | None = None
    submissions: list[SeenOwnSubmission] = []
    points: int | None = None
    rank: int | None = None


class Snapshot(View):
    """A room's state and the cursor that it is at, both from one consistent read.

    `tallying` counts what waits for the app to be back, and is asked again by itself.
    """

    cursor: str
    epoch: str
    now: Moment
    state: SeenState
    windows: list[SeenWindow]
    standings: list[SeenStanding]
    tallying: int
    me: SeenMe


class Waiting(View):
    """How much waits for the app, and is asked again."""

    waiting: int


class LoggedEvent(View):
    """An event of the log; `cursor` is where the caller is after it."""

    cursor: str
    type: str
    payload: dict[str, JsonValue]
    at: Moment
    schema_version: int
    after_end: bool


def event_view(event: SeenEvent) -> LoggedEvent:
    """Return an event of the log as it is shown."""
    return LoggedEvent(
        cursor=event.cursor,
        type=event.type,
        payload=event.payload,
        at=event.at,
        schema_version=event.schema_version,
        after_end=event.after_end,
    )


async def participants(
    session: AsyncSession, seat: Seat, wanted: PeopleFilter, part: Part
) -> Found[SeenParticipant]:
    """Return the people of a room; to those who do not help to run it, the active ones.

    Invalid for an order by points that the caller may not see now.
    """
    if points_hidden(seat) and {"points", "-points"} & set(part.sort):
        raise Invalid(fields={"/sort": ["Points are hidden for now; choose another order."]})
    rows = _people(seat)
    if seat.level is not Level.ORGANIZER:
        rows = rows.where(ParticipantRow.status == ParticipantStatus.ACTIVE)
    if wanted.role is not None:
        rows = rows.where(ParticipantRow.role == wanted.role)
    if wanted.status is not None:
        rows = rows.where(ParticipantRow.status == wanted.status)
    if wanted.name is not None:
        rows = rows.where(ParticipantRow.display_name.startswith(wanted.name, autoescape=True))
    found, total = await part_of(session, rows, part, PEOPLE_BY)
    return Found([participant_view(seat, row, person) for row, person in found], total)


async def participant(session: AsyncSession, seat: Seat, participant_id: str) -> SeenParticipant:
    """Return one participant; NotFound for one whom the caller does not see in the list."""
    found = (
        await session.execute(_people(seat).where(ParticipantRow.id == participant_id))
    ).first()
    mine = seat.participant is not None and seat.participant.id == participant_id
    everybody = seat.level is Level.ORGANIZER or mine
    if found is None or not (everybody or found[0].status == ParticipantStatus.ACTIVE):
        raise NotFound("There is no such participant.", code="PARTICIPANT_NOT_FOUND")
    return participant_view(seat, found[0], found[1])


async def prizes(session: AsyncSession, seat: Seat, part: Part) -> Found[SeenPrize]:
    """Return the prizes of a room."""
    found, total = await part_of(session, _prizes(seat), part, PRIZES_BY)
    return Found([prize_view(row) for (row,) in found], total)


async def prize(session: AsyncSession, seat: Seat, prize_id: str) -> SeenPrize:
    """Return one prize; NotFound for one of elsewhere."""
    found = await session.scalar(_prizes(seat).where(PrizeRow.id == prize_id))
    if found is None:
        raise NotFound("There is no such prize.", code="PRIZE_NOT_FOUND")
    return prize_view(found)


async def winners(
    session: AsyncSession, seat: Seat, wanted: WinnerFilter, part: Part
) -> Found[SeenWinner]:
    """Return the winners of a room, revoked ones too; sealed ones are not there."""
    rows = _winners(seat)
    for column, value in (
        (WinnerRow.prize_id, wanted.prize_id),
        (WinnerRow.participant_id, wanted.participant_id),
        (WinnerRow.draw_id, wanted.draw_id),
        (WinnerRow.status, wanted.status),
    ):
        if value is not None:
            rows = rows.where(column == value)
    found, total = await part_of(session, rows, part, WINNERS_BY)
    return Found([_winner(seat, each) for each in found], total)


async def winner(session: AsyncSession, seat: Seat, winner_id: str) -> SeenWinner:
    """Return one winner; NotFound for one of elsewhere, and for one that is still sealed."""
    found = (await session.execute(_winners(seat).where(WinnerRow.id == winner_id))).first()
    if found is None:
        raise NotFound("There is no such winner.", code="WINNER_NOT_FOUND")
    return _winner(seat, found)


async def draws(session: AsyncSession, seat: Seat, part: Part) -> Found[SeenDraw]:
    """Return the draws of a room, newest first; only asked for ones to its helpers."""
    found, total = await list_draws(
        session, seat.room.id, level=seat.level, offset=part.offset, limit=part.limit
    )
    return Found([draw_view(seat, each) for each in found], total)


async def draw(session: AsyncSession, seat: Seat, draw_id: str) -> SeenDraw:
    """Return one draw, with the picks of those prizes that are revealed."""
    return draw_view(seat, await find_draw(session, seat.room.id, draw_id, level=seat.level))


async def snapshot(session: AsyncSession, seat: Seat, *, now: datetime) -> Snapshot:
    """Return the room's state, its standings and the caller's own part, with their cursor."""
    state = await room_state(session, seat.room.id)
    shown: dict[str, Any] = {"public": state.public}
    if seat.level is Level.ORGANIZER:
        shown["organizer"] = state.organizer
    return Snapshot(
        cursor=await current_cursor(session, seat),
        epoch=epoch_of(seat),
        now=now,
        state=SeenState(**shown),
        windows=await open_windows(session, seat, now=now),
        standings=(await standings(session, seat, Part(limit=TOP))).items,
        tallying=await waiting_calls(session, seat.room.id),
        me=await _me(session, seat),
    )


async def _me(session: AsyncSession, seat: Seat) -> SeenMe:
    row = seat.participant
    if row is None:
        return SeenMe(role=seat.role, submissions=[])
    person = await session.get_one(UserRow, row.user_id)
    me = SeenMe(
        role=seat.role,
        participant=participant_view(seat, row, person),
        own=row.own,
        submissions=await own_submissions(session, seat),
    )
    if points_hidden(seat):
        return me
    return me.model_copy(update={"points": row.points, "rank": await rank_of(session, row)})


def _people(seat: Seat) -> Select[ParticipantRow, UserRow]:
    return (
        select(ParticipantRow, UserRow)
        .join(UserRow, UserRow.id == ParticipantRow.user_id)
        .where(ParticipantRow.room_id == seat.room.id, ParticipantRow.deleted_at.is_(None))
    )


def _prizes(seat: Seat) -> Select[PrizeRow]:
    return select(PrizeRow).where(PrizeRow.room_id == seat.room.id, PrizeRow.deleted_at.is_(None))


def _winners(seat: Seat) -> Select[WinnerRow, ParticipantRow, PrizeRow, UserRow]:
    return (
        select(WinnerRow, ParticipantRow, PrizeRow, UserRow)
        .join(ParticipantRow, ParticipantRow.id == WinnerRow.participant_id)
        .join(PrizeRow, PrizeRow.id == WinnerRow.prize_id)
        .join(UserRow, UserRow.id == ParticipantRow.user_id)
        .where(
            WinnerRow.room_id == seat.room.id,
            WinnerRow.sealed.is_(False),
            WinnerRow.deleted_at.is_(None),
        )
    )


def _winner(seat: Seat, found: Any) -> SeenWinner:  # noqa: ANN401 - a row of four
    row, person, prize_row, user = found
    return winner_view(seat, row, participant=person, prize=prize_row, person=user)
