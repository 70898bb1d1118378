"""Leases on due rows. A worker may write only while its lease token is still on the row (fencing).

A lease is a random token with an expiry. So two processes, or one that was suspended, never do the
same work twice.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mymozhem.db.base import Base, new_id
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.core.leased import JobKind, Lease
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.imports import PeopleImportRow
from mymozhem.rooms.tables.notifications import UnsentNoticesRow
from mymozhem.rooms.tables.results import ResultPartRow
from mymozhem.rooms.tables.timers import TimerRow, TimerSpace
from mymozhem.rooms.tables.windows import WindowRow

#: work that was begun and left behind, most often by a process that died
_LEFT = (PeopleImportRow, ResultPartRow, UnsentNoticesRow)

_TABLES = (DrawRow, TimerRow, WindowRow, *_LEFT)

LeftRow = PeopleImportRow | ResultPartRow | UnsentNoticesRow

_Moment = datetime | BindParameter[datetime]

_KINDS: dict[type[Base], JobKind] = {
    DrawRow: JobKind.DRAW,
    PeopleImportRow: JobKind.IMPORT,
    ResultPartRow: JobKind.RESULTS,
    UnsentNoticesRow: JobKind.NOTICES,
    WindowRow: JobKind.WINDOW,
}


async def acquire(database: Database, *, span: timedelta, limit: int) -> list[Lease]:
    """Lease what is due: windows, draws, timers, changes, and parts of long writes.

    At most `limit` rows of each kind are leased.

    Of a room's changes only the first is leased, so that the app is notified in order.
    """
    if not await _anything_due(database):
        return []
    async with database.write() as unit:
        windows = await _take_windows(unit.session, unit.now, span, limit)
        draws = await _take_draws(unit.session, unit.now, span, limit)
        timers = await _take_timers(unit.session, unit.now, span, limit)
        left = [await _take_left(unit.session, table, unit.now, span, limit) for table in _LEFT]
    return [*windows, *draws, *timers, *chain.from_iterable(left)]


async def renew(database: Database, leases: Collection[str], *, span: timedelta) -> None:
    """Extend the leases of running work."""
    async with database.write() as unit:
        for table in _TABLES:
            await unit.session.execute(
                update(table)
                .where(table.lease.in_(leases))
                .values(lease_until=unit.now + span)
                .execution_options(synchronize_session=False)
            )


async def release(database: Database, leases: Collection[str] | None) -> None:
    """Release leases, so that any process may take the work now; None releases all."""
    async with database.write() as unit:
        for table in _TABLES:
            held = table.lease.is_not(None) if leases is None else table.lease.in_(leases)
            await unit.session.execute(
                update(table)
                .where(held)
                .values(lease=None, lease_until=None)
                .execution_options(synchronize_session=False)
            )


async def next_due(database: Database) -> datetime | None:
    """Return when the next unleased row is due."""
    async with database.read() as session:
        draw = await session.scalar(select(func.min(DrawRow.due_at)).where(DrawRow.lease.is_(None)))
        left = [
            await session.scalar(select(func.min(table.due_at)).where(table.lease.is_(None)))
            for table in _LEFT
        ]
        window = await session.scalar(
            select(func.min(WindowRow.due_at)).where(WindowRow.lease.is_(None))
        )
        timer = await session.scalar(
            select(func.min(TimerRow.next_at)).where(TimerRow.lease.is_(None), _is_first())
        )
    moments = (draw, window, timer, *left)
    return min((moment for moment in moments if moment is not None), default=None)


async def _anything_due(database: Database) -> bool:
    """Check by a read before the write, since on SQLite every write waits for its turn."""
    now = await database.now()
    async with database.read() as session:
        return bool(await session.scalar(_is_anything_due(), {"now": now}))


@cache
def _is_anything_due() -> Select[bool]:
    """Return the query of every poll; to build it takes longer than to run it."""
    now = bindparam("now", type_=DrawRow.due_at.type)
    due = or_(
        *(jobs(now).exists() for jobs in (_draws, _windows, _timers)),
        *(_left(table, now).exists() for table in _LEFT),
    )
    return select(due)


async def _take_draws(
    session: AsyncSession, now: datetime, span: timedelta, limit: int
) -> list[Lease]:
    rows = await session.scalars(
        _draws(now).order_by(DrawRow.due_at).limit(limit).with_for_update(skip_locked=True)
    )
    return [_lease_of(row, now + span) for row in rows]


async def _take_windows(
    session: AsyncSession, now: datetime, span: timedelta, limit: int
) -> list[Lease]:
    rows = await session.scalars(
        _windows(now).order_by(WindowRow.due_at).limit(limit).with_for_update(skip_locked=True)
    )
    return [_lease_of(row, now + span) for row in rows]


async def _take_timers(
    session: AsyncSession, now: datetime, span: timedelta, limit: int
) -> list[Lease]:
    rows = await session.scalars(
        _timers(now).order_by(TimerRow.next_at).limit(limit).with_for_update(skip_locked=True)
    )
    return [_lease_of(row, now + span) for row in rows]


async def _take_left(
    session: AsyncSession, table: type[LeftRow], now: datetime, span: timedelta, limit: int
) -> list[Lease]:
    rows = await session.scalars(
        _left(table, now)
        .order_by(table.due_at, table.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_lease_of(row, now + span) for row in rows]


def _lease_of(row: DrawRow | LeftRow | TimerRow | WindowRow, until: datetime) -> Lease:
    row.lease, row.lease_until = new_id("lease"), until
    if isinstance(row, TimerRow):
        return Lease(JobKind.TIMER, row.room_id, row.id, row.lease, row.generation)
    room_id = "" if isinstance(row, UnsentNoticesRow) else row.room_id
    return Lease(_KINDS[type(row)], room_id, row.id, row.lease)


def _draws(now: _Moment) -> Select[DrawRow]:
    free = or_(DrawRow.lease.is_(None), DrawRow.lease_until < now)
    return select(DrawRow).where(DrawRow.due_at <= now, free)


def _left(table: type[LeftRow], now: _Moment) -> Select[Any]:
    free = or_(table.lease.is_(None), table.lease_until < now)
    found = select(table).where(table.due_at <= now, free)
    return found.where(_is_next_part()) if table is ResultPartRow else found


def _is_next_part() -> ColumnElement[bool]:
    """Whether a part of a window's results is the next one: one job writes all that follow."""
    earlier = aliased(ResultPartRow)
    return ~exists().where(
        and_(
            earlier.window_id == ResultPartRow.window_id,
            earlier.first_ordinal < ResultPartRow.first_ordinal,
        )
    )


def _windows(now: _Moment) -> Select[WindowRow]:
    free = or_(WindowRow.lease.is_(None), WindowRow.lease_until < now)
    return select(WindowRow).where(WindowRow.due_at <= now, free)


def _timers(now: _Moment) -> Select[TimerRow]:
    free = or_(TimerRow.lease.is_(None), TimerRow.lease_until < now)
    return select(TimerRow).where(TimerRow.next_at <= now, free, _is_first())


@cache
def _is_first() -> ColumnElement[bool]:
    """Whether a timer waits for no other: changes are in order, timers independent."""
    earlier = aliased(TimerRow)
    before = exists().where(
        and_(
            earlier.room_id == TimerRow.room_id,
            earlier.space == TimerSpace.CHANGE,
            earlier.id < TimerRow.id,
        )
    )
    return or_(TimerRow.space == TimerSpace.APP, ~before)
