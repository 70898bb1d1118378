"""Read from the tables what apps receive in a context; nothing of unrevealed draws is included."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    DrawStatus,
    ParticipantData,
    Participants,
    ParticipantStatus,
    PersonKind,
    Prize,
    Reserves,
    Role,
    Scores,
    Submissions,
    Verdict,
    WindowView,
    Winner,
)
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

from .services import Services

#: submissions that are read and written together
ROWS_AT_ONCE = 500
#: windows whose submissions are read together
WINDOWS_AT_ONCE = 100

#: ids in one query
IDS_AT_ONCE = 1_000


async def reserves_of(session: AsyncSession, room_id: str) -> Reserves:
    """Return the people in reserve of all draws, the oldest draw first, each in drawn order."""
    found = await session.execute(
        select(DrawRow.id, DrawRow.reserves)
        .where(
            DrawRow.room_id == room_id,
            DrawRow.status == DrawStatus.REVEALED,
            DrawRow.reserves.is_not(None),
        )
        .order_by(DrawRow.created_at, DrawRow.id)
    )
    rows = [(draw_id, each) for draw_id, reserves in found for each in reserves or ()]
    people = [str(each["participantId"]) for _, each in rows]
    active = await _active(session, people)
    return Reserves(
        draw_id=tuple(draw_id for draw_id, _ in rows),
        prize_id=tuple(each.get("prizeId") for _, each in rows),
        participant_id=tuple(people),
        active=tuple(person in active for person in people),
    )


async def _active(session: AsyncSession, people: Sequence[str]) -> set[str]:
    """Return which of these people are active participants."""
    active: set[str] = set()
    unique = tuple(dict.fromkeys(people))
    for start in range(0, len(unique), IDS_AT_ONCE):
        active.update(
            await session.scalars(
                select(ParticipantRow.id).where(
                    ParticipantRow.id.in_(unique[start : start + IDS_AT_ONCE]),
                    ParticipantRow.status == ParticipantStatus.ACTIVE,
                    ParticipantRow.role == Role.PARTICIPANT,
                    ParticipantRow.deleted_at.is_(None),
                )
            )
        )
    return active


async def prizes_of(session: AsyncSession, room_id: str) -> tuple[Prize, ...]:
    """Return the prizes of a room as an app sees them, the oldest first."""
    rows = await session.scalars(
        select(PrizeRow)
        .where(PrizeRow.room_id == room_id, PrizeRow.deleted_at.is_(None))
        .order_by(PrizeRow.id)
    )
    return tuple(
        Prize(
            id=row.id,
            name=row.name,
            description=row.description,
            quantity=row.quantity,
            quantity_remaining=row.quantity_remaining,
            metadata=row.data,
        )
        for row in rows
    )


async def winners_of(session: AsyncSession, room_id: str) -> tuple[Winner, ...]:
    """Return the winners of a room as an app sees them, the oldest first."""
    rows = await session.scalars(
        select(WinnerRow)
        .where(WinnerRow.room_id == room_id, WinnerRow.sealed.is_(False))
        .order_by(WinnerRow.id)
    )
    return tuple(
        Winner(
            id=row.id,
            participant_id=row.participant_id,
            prize_id=row.prize_id,
            draw_id=row.draw_id,
            status=row.status,
            reason=row.reason,
            metadata=row.data,
        )
        for row in rows
    )


async def participants_of(
    session: AsyncSession, services: Services, room: RoomRow, *, shown: bool = False
) -> Participants:
    """Return the participants of a room as an app sees them.

    With `shown`, the metadata include what people wrote about themselves.
    """
    found = await session.execute(
        select(ParticipantRow, UserRow.kind)
        .join(UserRow, UserRow.id == ParticipantRow.user_id)
        .where(ParticipantRow.room_id == room.id, ParticipantRow.deleted_at.is_(None))
        .order_by(ParticipantRow.id)
    )
    rows = [(row, PersonKind(kind)) for row, kind in found]
    return Participants(
        id=tuple(row.id for row, _ in rows),
        person_id=tuple(services.keys.person_id(room.app_id, row.user_id) for row, _ in rows),
        kind=tuple(kind for _, kind in rows),
        role=tuple(row.role for row, _ in rows),
        status=tuple(row.status for row, _ in rows),
        joined_at=tuple(row.joined_at for row, _ in rows),
        last_seen_at=tuple(row.last_seen_at for row, _ in rows),
        metadata=tuple(row.shown_metadata if shown else row.data for row, _ in rows),
        data=tuple(ParticipantData(own=row.own, private=row.private) for row, _ in rows),
        points=tuple(row.points for row, _ in rows),
    )


class _Sent(NamedTuple):
    """A submission as a plain row, since there may be tens of thousands."""

    window_id: str
    ordinal: int
    id: str
    participant_id: str
    payload: JsonValue
    elapsed_ms: int
    verdict: Verdict
    points: int


async def submissions_of_closed(session: AsyncSession, room_id: str) -> Submissions:
    """Return the counting submissions of a room's settled windows, by window and commit order."""
    found = await session.execute(
        select(WindowRow.id, WindowRow.key)
        .where(WindowRow.room_id == room_id, WindowRow.settled_at.is_not(None))
        .order_by(WindowRow.created_at, WindowRow.id)
    )
    return await submissions_of(session, {row.id: row.key for row in found})


async def submissions_of(session: AsyncSession, windows: Mapping[str, str]) -> Submissions:
    """Return counting submissions as their app sees them, by window and commit order.

    `windows` maps the ids of the windows, in their order, to their keys.
    """
    found: dict[str, list[_Sent]] = {window_id: [] for window_id in windows}
    ids = list(windows)
    for start in range(0, len(ids), WINDOWS_AT_ONCE):
        async for row in _sent(session, ids[start : start + WINDOWS_AT_ONCE]):
            found[row.window_id].append(row)
    rows = [row for sent in found.values() for row in sent]
    return Submissions(
        id=tuple(row.id for row in rows),
        window_id=tuple(windows[row.window_id] for row in rows),
        participant_id=tuple(row.participant_id for row in rows),
        payload=tuple(row.payload for row in rows),
        elapsed_ms=tuple(row.elapsed_ms for row in rows),
        verdict=tuple(row.verdict for row in rows),
        points=tuple(row.points for row in rows),
    )


async def _sent(session: AsyncSession, window_ids: Sequence[str]) -> AsyncIterator[_Sent]:
    """Yield the counting submissions of some windows in chunks, in commit order within a window."""
    row = SubmissionRow
    rows = (
        select(*(getattr(row, name) for name in _Sent._fields))
        .where(row.window_id.in_(window_ids), row.counts)
        .order_by(row.window_id, row.ordinal)
        .limit(ROWS_AT_ONCE)
    )
    place = ("", 0)
    while True:
        after = tuple_(row.window_id, row.ordinal) > place
        some = [_Sent(*each) for each in await session.execute(rows.where(after))]
        for each in some:
            yield each
        if len(some) < ROWS_AT_ONCE:
            return
        place = (some[-1].window_id, some[-1].ordinal)


def window_view(window: WindowRow) -> WindowView:
    """Return a window as its app sees it."""
    return WindowView(
        id=window.key,
        prompt=window.prompt,
        data=window.data,
        opened_at=window.opens_at,
        closes_at=window.closes_at,
        points=window.points,
        closed_at=window.closed_at,
        closed_by=window.close_reason if window.closed_at is not None else None,
    )


async def scores_of(session: AsyncSession, room_id: str) -> Scores:
    """Return the points of active participants who have any, the highest first."""
    found = await session.execute(
        select(ParticipantRow.id, ParticipantRow.points)
        .where(
            ParticipantRow.room_id == room_id,
            ParticipantRow.role == Role.PARTICIPANT,
            ParticipantRow.status == ParticipantStatus.ACTIVE,
            ParticipantRow.points != 0,
        )
        .order_by(ParticipantRow.points.desc(), ParticipantRow.id)
    )
    rows = found.all()
    return Scores(
        participant_id=tuple(row.id for row in rows), points=tuple(row.points for row in rows)
    )
