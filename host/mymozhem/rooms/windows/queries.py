"""Windows looked up, and shown to their app."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import Select, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    ParticipantStatus,
    Role,
    Submissions,
    Verdict,
    WindowStatus,
    WindowView,
)
from mymozhem.errors import NotFound
from mymozhem.rooms.tables.rooms import ParticipantRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

#: takes submissions now, or may do so again
UNDER_WAY = (WindowStatus.OPEN, WindowStatus.PAUSED)

#: how many ids one statement names
IDS_AT_ONCE = 5_000

#: submissions that are read and written together
ROWS_AT_ONCE = 500

#: windows whose submissions are read together
WINDOWS_AT_ONCE = 100


class _Sent(NamedTuple):
    """A submission as a plain row: there may be tens of thousands of them."""

    window_id: str
    ordinal: int
    id: str
    participant_id: str
    payload: JsonValue
    elapsed_ms: int
    verdict: Verdict
    points: int


async def find_window(session: AsyncSession, room_id: str, name: str) -> WindowRow:
    """Return a window of a room by the id that its app gave it; NotFound where there is none."""
    window = await session.scalar(
        select(WindowRow)
        .where(WindowRow.room_id == room_id, WindowRow.name == name)
        .execution_options(populate_existing=True)
    )
    if window is None:
        message = "There is no such window."
        raise NotFound(message, code="WINDOW_NOT_FOUND")
    return window


async def counted(
    session: AsyncSession, window: WindowRow
) -> AsyncIterator[Sequence[SubmissionRow]]:
    """Yield the submissions that count, in commit order, some at a time.

    What is changed in them is written before the next ones are read: nobody waits for thousands.
    """
    rows = (
        select(SubmissionRow)
        .where(SubmissionRow.window_id == window.id, SubmissionRow.counts)
        .order_by(SubmissionRow.ordinal)
        .limit(ROWS_AT_ONCE)
        .execution_options(populate_existing=True)
    )
    last = 0
    while some := (await session.scalars(rows.where(SubmissionRow.ordinal > last))).all():
        last = some[-1].ordinal
        yield some
        await session.flush()


async def count(session: AsyncSession, window: WindowRow) -> int:
    """Return how many submissions count."""
    rows = select(func.count()).select_from(SubmissionRow)
    where = (SubmissionRow.window_id == window.id, SubmissionRow.counts)
    return await session.scalar(rows.where(*where)) or 0


async def submissions_of_closed(session: AsyncSession, room_id: str) -> Submissions:
    """Return what counts in the settled windows of a room, by window and commit order."""
    found = await session.execute(
        select(WindowRow.id, WindowRow.name)
        .where(WindowRow.room_id == room_id, WindowRow.settled_at.is_not(None))
        .order_by(WindowRow.created_at, WindowRow.id)
    )
    return await submissions_of(session, {row.id: row.name for row in found})


async def submissions_of(session: AsyncSession, windows: Mapping[str, str]) -> Submissions:
    """Return submissions that count as their app sees them, by window and commit order.

    `windows` are those windows in their order, by id, with the name of each.
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
    """Yield what counts in some windows, read some at a time; in each of them in commit order."""
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


async def expected(session: AsyncSession, window: WindowRow) -> int:
    """Return how many people may submit to a window: those of its roles who take part now."""
    return await _count(session, window, _people(window))


async def missing(session: AsyncSession, window: WindowRow) -> int:
    """Return how many of those who may submit have not; whoever answered and left is no help."""
    answered = exists().where(
        SubmissionRow.window_id == window.id,
        SubmissionRow.participant_id == ParticipantRow.id,
        SubmissionRow.counts,
    )
    return await _count(session, window, _people(window).where(~answered))


def _people(window: WindowRow) -> Select[int]:
    return select(func.count()).where(
        ParticipantRow.room_id == window.room_id,
        ParticipantRow.status == ParticipantStatus.ACTIVE,
        ParticipantRow.role.in_([Role(role) for role in window.roles]),
    )


async def _count(session: AsyncSession, window: WindowRow, people: Select[int]) -> int:
    if window.participants is None:
        return await session.scalar(people) or 0
    total, invited = 0, window.participants
    for start in range(0, len(invited), IDS_AT_ONCE):
        some = ParticipantRow.id.in_(invited[start : start + IDS_AT_ONCE])
        total += await session.scalar(people.where(some)) or 0
    return total


def window_view(window: WindowRow) -> WindowView:
    """Return a window as its app sees it."""
    return WindowView(
        id=window.name,
        prompt=window.prompt,
        data=window.data,
        opened_at=window.opens_at,
        closes_at=window.closes_at,
        points=window.points,
        closed_at=window.closed_at,
        closed_by=window.close_reason if window.closed_at is not None else None,
    )
