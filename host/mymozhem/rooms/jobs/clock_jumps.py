"""What happens if the clock of the machine jumps while the host is running.

The host's own clock goes on through the jump. Then this module moves everything that was set for a
span (open windows, timers, retries) by the jump, and lets the clock follow, in one transaction. So
windows and timers last as long as they were meant to, and times of day are right afterwards.

On PostgreSQL due times are compared with the clock of the database server. There a jump of this
machine moves nothing. A jump of the server's own clock moves all due times; it is noticed, because
the difference between the two clocks changes, and reported.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, or_, select

from mymozhem.clock import JUMP, ClockJump, SteadyClock, iso
from mymozhem.contract import WindowStatus
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.deliveries.tables import StreamRow
from mymozhem.errors import NotFound
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.timers import TimerRow, TimerSpace
from mymozhem.rooms.tables.windows import HeartbeatRow, WindowRow
from mymozhem.rooms.windows.queries import UNDER_WAY
from mymozhem.rooms.windows.timing import move, record_changed

#: how far away a retry may be, and how far away work that is due now
SOON = timedelta(minutes=15)
NOW = timedelta(seconds=10)

#: seconds between two comparisons with the clock of the database server
LOOK_EVERY = 5.0

logger = structlog.stdlib.get_logger(__name__)


class ClockJumps:
    """The latest jumps that this process has seen."""

    def __init__(self) -> None:
        self._seen: deque[ClockJump] = deque(maxlen=10)
        self._skew: timedelta | None = None
        self._look_at = 0.0

    def since(self, moment: datetime) -> Sequence[ClockJump]:
        """Return the jumps at a moment or later."""
        return [jump for jump in self._seen if jump.at >= moment]

    async def follow(self, services: Services) -> timedelta | None:
        """Handle a jump if there was one, and return its length."""
        clock = services.clock
        if not isinstance(clock, SteadyClock):
            return None
        before = clock.now()
        jump = clock.jump
        if jump is None:
            return await self._follow_database(services)
        self._skew = None  # it changes with the clock of this machine
        if services.database.dialect == "sqlite":
            async with services.database.write() as unit:
                await _move_all(services, unit, jump, before=unit.now)
                unit.after_commit(clock.follow)  # nobody else writes before that
        else:
            clock.follow()
        seconds = jump.total_seconds()
        self._seen.append(ClockJump(clock.now(), seconds))
        logger.warning(
            "the clock of the machine has jumped",
            seconds=round(seconds, 3),
            before=iso(before),
            after=iso(clock.now()),
        )
        return jump

    async def _follow_database(self, services: Services) -> timedelta | None:
        """Notice that the clock of the database server has jumped; return by how much."""
        moment = services.clock.monotonic()
        if services.database.dialect == "sqlite" or moment < self._look_at:
            return None
        self._look_at = moment + LOOK_EVERY
        before, self._skew = self._skew, await services.database.clock_skew()
        jump = self._skew - (before if before is not None else self._skew)
        if abs(jump) < JUMP:
            return None
        at, seconds = await services.database.now(), jump.total_seconds()
        self._seen.append(ClockJump(at, seconds, of_database=True))
        logger.warning(
            "the clock of the database server has jumped",
            seconds=round(seconds, 3),
            after=iso(at),
        )
        return jump


async def _move_all(
    services: Services, unit: UnitOfWork, jump: timedelta, *, before: datetime
) -> None:
    await _move_windows(services, unit, jump)
    await _move_timers(unit, jump, before + SOON)
    await _move_retries(unit, jump, before=before)
    for beat in await unit.session.scalars(select(HeartbeatRow)):
        beat.at += jump


async def _move_windows(services: Services, unit: UnitOfWork, jump: timedelta) -> None:
    windows = await unit.session.scalars(
        select(WindowRow)
        .where(or_(WindowRow.status.in_(UNDER_WAY), WindowRow.due_at.is_not(None)))
        .order_by(WindowRow.room_id, WindowRow.id)
    )
    by_room: dict[str, list[WindowRow]] = {}
    for window in windows.all():
        by_room.setdefault(window.room_id, []).append(window)
        if window.status in UNDER_WAY:
            move(window, jump)
        else:
            window.due_at = (window.due_at or unit.now) + jump
    for room_id, moved in by_room.items():
        await _record(services, unit, room_id, moved)


async def _record(
    services: Services, unit: UnitOfWork, room_id: str, windows: Sequence[WindowRow]
) -> None:
    """Log the new times of open windows; a room that nobody can read has no log to write."""
    room = await unit.session.get_one(RoomRow, room_id)
    try:
        manifest = services.catalog.manifest(room.app_id, room.app_manifest_version)
    except NotFound:
        return
    transaction = RoomTransaction(services, unit, room, manifest=manifest, actor_id=None, depth=0)
    for window in windows:
        if window.status == WindowStatus.OPEN and room.deleted_at is None:
            record_changed(transaction, window, "changed")
    await transaction.finish()


async def _move_timers(unit: UnitOfWork, jump: timedelta, soon: datetime) -> None:
    """Move timers that were set for a span, changes, and retries; a time of day stays."""
    waits = or_(TimerRow.space == TimerSpace.CHANGE, TimerRow.attempts > 0)
    timers = await unit.session.scalars(
        select(TimerRow).where(or_(TimerRow.relative, and_(waits, TimerRow.next_at <= soon)))
    )
    for timer in timers:
        timer.next_at += jump
        if timer.relative:
            timer.due_at += jump


async def _move_retries(unit: UnitOfWork, jump: timedelta, *, before: datetime) -> None:
    """Move draws that are due now, and deliveries that are tried again soon."""
    draws = select(DrawRow).where(DrawRow.due_at <= before + NOW)
    for draw in await unit.session.scalars(draws):
        draw.due_at = (draw.due_at or before) + jump
    streams = select(StreamRow).where(StreamRow.next_at <= before + SOON)
    for stream in await unit.session.scalars(streams):
        stream.next_at = (stream.next_at or before) + jump
