"""Count what waits for its app, and retry it for an organizer or once the app is back."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import DrawStatus, WindowStatus
from mymozhem.rooms.core.access import write_as
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.timers import TimerRow
from mymozhem.rooms.tables.windows import WindowRow

Row = type[TimerRow] | type[WindowRow] | type[DrawRow]

#: each kind of row that may wait, the column that says when it is due, and when it does wait
_KINDS: tuple[tuple[Row, str, tuple[ColumnElement[bool], ...]], ...] = (
    (TimerRow, "next_at", (TimerRow.attempts > 0,)),
    (WindowRow, "due_at", (WindowRow.status == WindowStatus.TALLYING, WindowRow.attempts > 0)),
    (DrawRow, "due_at", (DrawRow.status == DrawStatus.COMMITTED, DrawRow.attempts > 0)),
)


async def retry_room(services: Services, room_id: str, caller: Principal) -> int:
    """Retry everything in the room that waits for its app; for staff."""
    async with write_as(services, room_id, caller, "POST /rooms/{id}/retry") as transaction:
        return await retry_now(transaction)


async def retry_now(transaction: RoomTransaction) -> int:
    """Make everything in the room that waits for its app due now; return the number."""
    transaction.wake_jobs()
    found = 0
    for row, due, waits in _KINDS:
        mine = (row.room_id == transaction.room.id, *waits)
        found += await _make_due(transaction.session, row, due, transaction.now, *mine)
    return found


async def count_pending(session: AsyncSession, room_id: str) -> int:
    """Return how much waits for the app: timers, changes, windows, draws."""
    found = 0
    for row, _, waits in _KINDS:
        query = select(func.count()).where(row.room_id == room_id, *waits)
        found += await session.scalar(query) or 0
    return found


async def schedule_parked(services: Services, app_id: str) -> int:
    """Make everything that waits for an app due now, in all rooms; return the number."""
    rooms = select(RoomRow.id).where(RoomRow.app_id == app_id)
    found = 0
    async with services.database.write() as unit:
        for row, due, waits in _KINDS:
            which = (row.room_id.in_(rooms), getattr(row, due) > unit.now, *waits)
            found += await _make_due(unit.session, row, due, unit.now, *which)
        if found:
            unit.after_commit(services.wake.set)
    return found


async def make_due(transaction: RoomTransaction, row_id: str) -> None:
    """Make a pending row due now, because its answer has arrived."""
    for row, due, waits in _KINDS:
        await _make_due(transaction.session, row, due, transaction.now, row.id == row_id, *waits)
    transaction.wake_jobs()


async def apps_waited_for(session: AsyncSession) -> set[str]:
    """Return the ids of the apps that have waiting calls."""
    found: set[str] = set()
    for row, _, waits in _KINDS:
        query = select(RoomRow.app_id).join(row, row.room_id == RoomRow.id).where(*waits)
        found |= set(await session.scalars(query.distinct()))
    return found


async def _make_due(
    session: AsyncSession, row: Row, due: str, now: datetime, *which: ColumnElement[bool]
) -> int:
    changed = await session.scalars(
        update(row)
        .where(*which)
        .values({due: now})
        .returning(row.id)
        .execution_options(synchronize_session=False)
    )
    return len(changed.all())
