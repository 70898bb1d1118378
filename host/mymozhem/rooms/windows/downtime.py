"""Compensate downtime: open windows get back the time in which no host was running.

The process that runs the jobs writes a heartbeat once or twice a second while any window is open. A
gap between two heartbeats is downtime if a process started after it, could not reach the database
during it, or was suspended; a process that was merely busy was running. Windows are moved by the
gap, each under its room's lock, and `checked_at` of a window says until when that was done.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from mymozhem.contract import WindowStatus
from mymozhem.errors import MymozhemError, Unavailable
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.tables.windows import HeartbeatRow, WindowRow

from .timing import record_changed, shift

#: seconds between two notes, at least
EVERY = 0.5

#: a longer silence than this means that no host was there
SILENCE = timedelta(seconds=2)

#: what a note may be late
MARGIN = timedelta(milliseconds=100)

_ROW = 1

logger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class _Signs:
    """The last heartbeat, and each open window (id, room) with its `checked_at`."""

    now: datetime
    noted: datetime | None
    windows: dict[tuple[str, str], datetime]

    def quiet(self) -> timedelta:
        """Return the time since the last sign of any host."""
        return self.now - max([*self.windows.values(), *([self.noted] if self.noted else [])])


async def beat(services: Services) -> None:
    """Write a heartbeat while any window is open: the host has been running since the last one."""
    if (await _look(services)).windows:
        await _note(services)


async def recover(services: Services, *, starting: bool = False) -> None:
    """Give open windows the time back in which no host was running, and write a heartbeat.

    `starting` means that this process has just started. If it is the only one on the database, any
    gap counts; otherwise it waits long enough for other processes to write a heartbeat.
    """
    signs = await _look(services)
    if not signs.windows:
        return
    alone = starting and services.database.dialect == "sqlite"
    silence = timedelta() if alone else SILENCE
    if starting and not alone and timedelta() <= signs.quiet() <= silence:
        await asyncio.sleep((silence - signs.quiet() + MARGIN).total_seconds())
        signs = await _look(services)
    noted = signs.noted
    for (window_id, room_id), checked in signs.windows.items():
        if signs.now - max(checked, noted or checked) > silence:
            await _give_back(services, room_id, window_id, noted=noted, silence=silence)
    await _note(services)


async def _look(services: Services) -> _Signs:
    now = await services.database.now()
    async with services.database.read() as session:
        noted = await session.scalar(select(HeartbeatRow.at).where(HeartbeatRow.id == _ROW))
        found = await session.execute(
            select(WindowRow.id, WindowRow.room_id, WindowRow.checked_at).where(
                WindowRow.status == WindowStatus.OPEN
            )
        )
        windows = {(row.id, row.room_id): row.checked_at for row in found}
    return _Signs(now, noted, windows)


async def _give_back(
    services: Services, room_id: str, window_id: str, *, noted: datetime | None, silence: timedelta
) -> None:
    try:
        async with room_transaction(services, room_id) as transaction:
            window = await transaction.session.get_one(WindowRow, window_id, populate_existing=True)
            there = max(window.checked_at, noted or window.checked_at)
            gap = transaction.now - there
            if window.status != WindowStatus.OPEN or gap <= silence:
                return
            window.checked_at = transaction.now
            if window.closes_at is not None and window.closes_at <= there:
                return  # its time was over before that
            shift(window, there, transaction.now, "downtime")
            window.due_at = window.closes_at
            record_changed(transaction, window, "downtime")
    except Unavailable:
        raise
    except MymozhemError as error:  # a deleted room, or one whose app was never published here
        logger.warning("a window was not moved", window=window_id, code=error.code)


async def _note(services: Services) -> None:
    """Write the heartbeat; several processes may insert the first one, and one of them wins."""
    with suppress(IntegrityError):
        async with services.database.write() as unit:
            moved = await unit.session.scalars(
                update(HeartbeatRow)
                .where(HeartbeatRow.id == _ROW)
                .values(at=unit.now)
                .returning(HeartbeatRow.id)
                .execution_options(synchronize_session=False)
            )
            if not moved.all():
                unit.session.add(HeartbeatRow(id=_ROW, at=unit.now))
