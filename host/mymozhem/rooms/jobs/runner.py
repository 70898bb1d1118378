"""The job runner of a host process: draws, windows, timers, changes, and parts of long writes.

Rows in the database say what is to be done. A process that is killed leaves them unchanged, and the
next one continues. Nothing here decides anything: a step is one transaction, fenced by its lease.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from mymozhem.concurrency.periodic_task import PeriodicTask
from mymozhem.errors import Unavailable
from mymozhem.rooms.core.leased import JobKind, Lease
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.windows import downtime

from . import draws, imports, leases, notices, results, windows
from .clock_jumps import ClockJumps
from .timers import run_timer

logger = structlog.stdlib.get_logger(__name__)

#: how long a process may be silent before another one takes its work
LEASE = timedelta(seconds=30)

#: how long a failed step rests before it is tried again
REST = timedelta(seconds=5)

#: steps that run at the same time in one process
WIDTH = 8


_STEPS: dict[JobKind, Callable[[Services, Lease], Awaitable[None]]] = {
    JobKind.DRAW: draws.step,
    JobKind.IMPORT: imports.step,
    JobKind.NOTICES: notices.step,
    JobKind.RESULTS: results.step,
    JobKind.TIMER: run_timer,
    JobKind.WINDOW: windows.step,
}


class Jobs:
    """Runs due jobs; `services.wake` wakes it, otherwise it polls every `poll` seconds.

    `lease` is the duration of a lease; it is renewed while the work runs.
    """

    def __init__(
        self, services: Services, *, lease: timedelta = LEASE, poll: float = 1.0, width: int = WIDTH
    ) -> None:
        self._services = services
        self._lease = lease
        self._poll = poll
        self._width = width
        self._running: dict[asyncio.Task[None], Lease] = {}
        self._loop = PeriodicTask("jobs", self._step, every=poll, wake=services.wake)
        self._lease_loop = PeriodicTask(
            "jobs: leases", self._renew_leases, every=lease.total_seconds() / 3, wait_first=True
        )
        self._must_release = False
        self._next_beat = 0.0
        self._away = False
        self.clock_jumps = ClockJumps()
        self._clocks = (services.clock.now(), services.clock.monotonic())

    def start(self) -> None:
        """Start in the running event loop; idempotent."""
        if not self._loop.is_started:
            # SQLite: this process has the file to itself, so nobody else holds a lease any more.
            self._must_release = self._services.database.dialect == "sqlite"
            self._loop.start()
            self._lease_loop.start()

    async def stop(self) -> None:
        """Stop immediately and release unfinished work; idempotent."""
        await self._loop.stop()
        await self._lease_loop.stop()
        held = [lease.token for lease in self._running.values()]
        tasks = [*self._running, *self._services.judges.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._services.compute_pool.close()
        self._services.costly.close()
        if held:
            with suppress(Unavailable):  # the leases expire
                await leases.release(self._services.database, held)

    async def run_due(self) -> int:
        """Run everything that is due now or becomes due by it; return the number of steps.

        This is for programs without a loop of their own, and for tests that control the clock.
        """
        steps = 0
        while taken := await self._take(self._width):
            steps += len(taken)
            await asyncio.gather(*(self._do(lease) for lease in taken))
        return steps

    async def _step(self) -> float:
        """Start what is due; return the seconds until there may be more."""
        if self._must_release:
            await leases.release(self._services.database, None)
            self._must_release = False
        await self.clock_jumps.follow(self._services)
        await self._beat()  # first: time that nobody was here for is no window's time
        if not await self._start_due():
            return await self._pause()
        return 0.0 if len(self._running) < self._width else self._poll

    async def _beat(self) -> None:
        now = self._services.clock.monotonic()
        if now < self._next_beat:
            return
        self._next_beat = now + downtime.EVERY
        away = self._away or self._has_slept()
        self._away = True  # until the note is written
        await (downtime.recover if away else downtime.beat)(self._services)
        self._away = False

    def _has_slept(self) -> bool:
        """Return whether the process was suspended since the last check: its clocks diverged."""
        clock = self._services.clock
        before, self._clocks = self._clocks, (clock.now(), clock.monotonic())
        wall = (self._clocks[0] - before[0]).total_seconds()
        return wall - (self._clocks[1] - before[1]) > downtime.SILENCE.total_seconds()

    async def _start_due(self) -> int:
        free = self._width - len(self._running)
        taken = await self._take(free) if free > 0 else []
        for lease in taken:
            task = asyncio.create_task(self._do(lease), name=f"job {lease.row_id}")
            self._running[task] = lease
            task.add_done_callback(self._done)
        return len(taken)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._services.wake.set()

    async def _take(self, limit: int) -> list[Lease]:
        return await leases.acquire(self._services.database, span=self._lease, limit=limit)

    async def _do(self, lease: Lease) -> None:
        try:
            await _STEPS[lease.kind](self._services, lease)
        except Unavailable as error:
            logger.warning("a job waits", row=lease.row_id, room=lease.room_id, code=error.code)
            await self._rest(lease)
        except Exception:  # one broken row must not stop all others; it is tried again
            logger.exception("a job failed", row=lease.row_id, room=lease.room_id)
            await self._rest(lease)

    async def _rest(self, lease: Lease) -> None:
        """Leave the work alone for a moment; if even that fails, its lease expires."""
        with suppress(Unavailable):
            await leases.renew(self._services.database, [lease.token], span=REST)

    async def _renew_leases(self) -> None:
        """Renew the leases of what is running; they are long enough for another try."""
        held = [lease.token for lease in self._running.values()]
        if held:
            await leases.renew(self._services.database, held, span=self._lease)

    async def _pause(self) -> float:
        """Return the seconds until there is something to do, at most `poll`."""
        due = await leases.next_due(self._services.database)
        if due is None:
            return self._poll
        left = (due - await self._services.database.now()).total_seconds()
        return min(max(left, 0.001), self._poll)
