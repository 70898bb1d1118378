"""Queries about windows and their submissions."""

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    ParticipantStatus,
    Role,
    WindowStatus,
)
from mymozhem.errors import NotFound
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

#: takes submissions now, or may do so again
UNDER_WAY = (WindowStatus.OPEN, WindowStatus.PAUSED)

#: how many ids one statement names
IDS_AT_ONCE = 5_000


async def find_window(session: AsyncSession, room_id: str, key: str) -> WindowRow:
    """Return the window of a room with that key, or raise NotFound."""
    window = await session.scalar(
        select(WindowRow)
        .where(WindowRow.room_id == room_id, WindowRow.key == key)
        .execution_options(populate_existing=True)
    )
    if window is None:
        message = "There is no such window."
        raise NotFound(message, code="WINDOW_NOT_FOUND")
    return window


async def count(session: AsyncSession, window: WindowRow) -> int:
    """Return the number of counting submissions."""
    rows = select(func.count()).select_from(SubmissionRow)
    where = (SubmissionRow.window_id == window.id, SubmissionRow.counts)
    return await session.scalar(rows.where(*where)) or 0


async def count_eligible(session: AsyncSession, window: WindowRow) -> int:
    """Return how many people may submit to a window: active ones with one of its roles."""
    return await _count(session, window, _people(window))


async def count_unanswered(session: AsyncSession, window: WindowRow) -> int:
    """Return how many eligible people have not answered; people who left do not count."""
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
