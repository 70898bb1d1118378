"""A person's own data on the platform: memberships, submissions, notifications."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.auth.users import UserExport, export_user
from mymozhem.contract import JsonObject, ParticipantStatus, Role
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Forbidden, NotFound
from mymozhem.idempotency import keys
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import STAFF, find_membership, role_of, room_not_found
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.notifications import NotificationRow, NotificationType
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

from .base import Timestamp, View
from .paging import Columns, PageRequest, ResultPage, fetch_page
from .standings import keeps_points
from .windows import OwnSubmissionView, own_submission

NOTES_BY: Columns = {"id": NotificationRow.id, "createdAt": NotificationRow.created_at}


class SeatView(View):
    """A person's data in one room; points are absent while the room hides them."""

    room_id: str
    room_name: str
    participant_id: str
    display_name: str
    role: Role
    status: ParticipantStatus
    metadata: JsonObject
    own: JsonObject
    points: int | None = None
    joined_at: Timestamp


class AnswerView(OwnSubmissionView):
    """A submission of a person; one that a later one has replaced does not count."""

    room_id: str
    counts: bool


class NotificationView(View):
    """A notification to the caller; of a win, with the win and its prize."""

    id: str
    type: NotificationType
    room_id: str
    winner_id: str | None
    prize_id: str | None
    title: str
    message: str
    created_at: Timestamp
    read_at: Timestamp | None


@dataclass(frozen=True)
class PersonExport:
    """All data about a person, on the platform and in rooms."""

    held: UserExport
    rooms: list[SeatView]
    submissions: list[AnswerView]


async def export_person(database: Database, caller: Principal) -> PersonExport:
    """Return all data about the caller, except secrets."""
    async with database.read() as session:
        return PersonExport(
            held=await export_user(session, caller),
            rooms=await seats_of(session, caller.user_id),
            submissions=await answers_of(session, caller.user_id),
        )


async def seats_of(session: AsyncSession, user_id: str) -> list[SeatView]:
    """Return every room that a person is or was in, with their data there."""
    rows = await session.execute(
        select(ParticipantRow, RoomRow)
        .join(RoomRow, RoomRow.id == ParticipantRow.room_id)
        .where(ParticipantRow.user_id == user_id)
        .order_by(ParticipantRow.id)
    )
    return [_seat(row, room) for row, room in rows]


async def answers_of(session: AsyncSession, user_id: str) -> list[AnswerView]:
    """Return all submissions of a person, with results if they are shown."""
    rows = await session.execute(
        select(SubmissionRow, WindowRow)
        .join(WindowRow, WindowRow.id == SubmissionRow.window_id)
        .join(ParticipantRow, ParticipantRow.id == SubmissionRow.participant_id)
        .where(ParticipantRow.user_id == user_id)
        .order_by(SubmissionRow.created_at, SubmissionRow.id)
    )
    return [_answer(row, window) for row, window in rows]


async def notifications(
    database: Database, caller: Principal, part: PageRequest, *, unread: bool
) -> ResultPage[NotificationView]:
    """Return the caller's notifications, the newest first; a guest's are those of their room."""
    rows = select(NotificationRow).where(NotificationRow.user_id == caller.user_id)
    if caller.room_id is not None:
        rows = rows.where(NotificationRow.room_id == caller.room_id)
    if unread:
        rows = rows.where(NotificationRow.read_at.is_(None))
    newest = PageRequest(part.page, part.limit, ("-createdAt",))
    async with database.read() as session:
        found, total = await fetch_page(session, rows, newest, NOTES_BY)
    return ResultPage([_notification(row) for (row,) in found], total)


async def read_notification(
    database: Database, caller: Principal, notification_id: str
) -> NotificationView:
    """Mark a notification as read; NotFound for another person's."""
    async with database.write(turn=notification_id) as unit:
        row = await unit.session.get(NotificationRow, notification_id, with_for_update=True)
        if row is None or row.user_id != caller.user_id:
            raise NotFound("There is no such message.", code="NOTIFICATION_NOT_FOUND")
        if row.read_at is None:
            row.read_at = unit.now
        await keys.mark_done(unit.session)
    return _notification(row)


async def join_code(services: Services, room_id: str, caller: Principal | None) -> str:
    """Return the join code of a room; for its staff."""
    async with read_as(services, room_id, caller, "GET /rooms/{id}/qr.svg") as (_, membership):
        return membership.room.code


async def code_for(database: Database, room_id: str, caller: Principal, given: str | None) -> str:
    """Return the join code for a caller who names a room by its id.

    It is given to people who were in the room before and, if the room is public, to everybody.
    Otherwise NotFound is raised.
    """
    elsewhere = caller.room_id not in (None, room_id)
    if given is not None and not elsewhere:
        return given
    async with database.read() as session:
        membership = await find_membership(session, room_id, caller)
    if elsewhere:
        raise Forbidden("A guest's token is for one room.")
    if membership.participant is None and not membership.room.is_public:
        raise room_not_found()
    return membership.room.code


def _seat(row: ParticipantRow, room: RoomRow) -> SeatView:
    membership = SeatView(
        room_id=row.room_id,
        room_name=room.name,
        participant_id=row.id,
        display_name=row.display_name,
        role=row.role,
        status=row.status,
        metadata=row.shown_metadata,
        own=row.own,
        joined_at=row.joined_at,
    )
    hidden = keeps_points(room) and role_of(row, is_admin=False) not in STAFF
    return membership if hidden else membership.model_copy(update={"points": row.points})


def _answer(row: SubmissionRow, window: WindowRow) -> AnswerView:
    own = own_submission(row, window).model_dump(exclude_unset=True)
    return AnswerView(room_id=row.room_id, counts=row.counts, **own)


def _notification(row: NotificationRow) -> NotificationView:
    return NotificationView(
        id=row.id,
        type=NotificationType(row.type or NotificationType.MESSAGE),
        room_id=row.room_id,
        winner_id=row.winner_id,
        prize_id=row.prize_id,
        title=row.title,
        message=row.message,
        created_at=row.created_at,
        read_at=row.read_at,
    )
