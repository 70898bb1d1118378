"""The relay of a process: sends due deliveries to apps and records the results.

One transaction records everything that has ended since the last one and claims what is due now, so
a slow disk only makes batches larger. The leases of a killed process expire.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select

from mymozhem.clock import Clock
from mymozhem.concurrency.periodic_task import PeriodicTask
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import Unavailable

from . import leases, results, retention
from .delivery import DeliverySender, Outcome, Result
from .leases import Claim
from .outbox import Outbox
from .results import Chance
from .retention import Retention
from .retry_schedule import Schedules
from .slots import Slots
from .tables import AttemptRow, DeliveryRow, StreamRow

#: how long a process may be silent before another one claims its deliveries
LEASE = timedelta(seconds=60)

#: the part of its lease that a call may take; the rest is for recording the result
ASKING = 0.8

#: deliveries that one process sends concurrently
WIDTH = 16

logger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class _Ended:
    """A finished attempt, not recorded yet."""

    claim: Claim
    result: Result
    duration_ms: int


class Relay:
    """Sends deliveries; `outbox.wake` wakes it, and it polls every `poll` seconds."""

    def __init__(  # noqa: PLR0913  its collaborators, by name
        self,
        database: Database,
        outbox: Outbox,
        ask: DeliverySender,
        schedules: Schedules,
        clock: Clock,
        *,
        keep: Retention | None = None,
        lease: timedelta = LEASE,
        poll: float = 1.0,
        width: int = WIDTH,
        chance: Chance = random.random,
    ) -> None:
        self._database = database
        self._wake = outbox.wake
        self._ask = ask
        self._schedules = schedules
        self._clock = clock
        self._lease = lease
        self._poll = poll
        self._width = width
        self._chance = chance
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._ended: list[_Ended] = []
        self._loop = PeriodicTask("deliveries", self._step, every=poll, wake=outbox.wake)
        self._cleaner = None if keep is None else _cleaner(database, keep)
        self._must_release = False

    def start(self) -> None:
        """Start in the running event loop. Idempotent."""
        if not self._loop.is_started:
            # SQLite: only this process uses the file, so no other process holds a lease.
            self._must_release = self._database.dialect == "sqlite"
            self._loop.start()
            if self._cleaner is not None:
                self._cleaner.start()

    async def stop(self) -> None:
        """Stop, and release the leases of unfinished attempts. Idempotent."""
        if not self._loop.is_started:
            return
        # Its transactions are short, and an interrupted one leaves leases behind.
        await self._loop.finish()
        if self._cleaner is not None:
            await self._cleaner.stop()
        held = [claim.lease for claim in self._running.values()]
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        with suppress(Unavailable):  # the leases expire
            await self._turn(take=False)
            if held:
                await leases.release(self._database, held)

    async def run_due(self) -> int:
        """Send everything that is due now or becomes due by that; return how many attempts.

        For programs that do not start the relay, and for tests with a clock that they control.
        """
        carried = 0
        while True:
            carried += (started := await self._turn())
            if self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            elif not (started or self._ended or await self._anything_due()):
                return carried

    async def _step(self) -> float:
        """Run one step; return the seconds until the next one may have work."""
        if self._must_release:
            await leases.release(self._database, None)
            self._must_release = False
        try:
            return 0.0 if await self._turn() else await self._pause()
        except Unavailable:
            raise
        except Exception:
            self._ended = []  # the deliveries are retried once their leases have ended
            raise

    async def _turn(self, *, take: bool = True) -> int:
        """Record finished attempts, claim due deliveries and send them; return how many."""
        ended = list(self._ended)
        if not ended and not (take and await self._anything_due()):
            return 0
        async with self._database.write() as unit:
            await self._settle(unit, ended)
            taken = await self._claim(unit) if take else []
        del self._ended[: len(ended)]  # attempts that ended meanwhile were appended
        for each in taken:
            task = asyncio.create_task(self._carry(each), name=f"delivery {each.delivery.id}")
            self._running[task] = each
            task.add_done_callback(self._done)
        return len(taken)

    def _places(self) -> Slots:
        taken = (claim.delivery.app_id for claim in self._running.values())
        return Slots(self._width, taken)

    async def _anything_due(self) -> bool:
        places = self._places()
        return places.free > 0 and await leases.anything_due(self._database, places)

    async def _claim(self, unit: UnitOfWork) -> list[Claim]:
        places = self._places()
        if places.free <= 0:
            return []
        return await leases.claim(unit, self._schedules, span=self._lease, places=places)

    async def _settle(self, unit: UnitOfWork, ended: Sequence[_Ended]) -> None:
        """Write results, each under its lease; drop results whose lease has ended."""
        if not ended:
            return
        by_lease = {each.claim.lease: each for each in ended}
        held = await unit.session.scalars(
            select(StreamRow)
            .where(
                StreamRow.stream.in_([each.claim.stream for each in ended]),
                StreamRow.lease.in_(by_lease),
            )
            .order_by(StreamRow.stream)
            .with_for_update()
        )
        streams = [(row, by_lease.pop(str(row.lease))) for row in held]
        found = await unit.session.execute(
            select(AttemptRow, DeliveryRow)
            .join(DeliveryRow, DeliveryRow.id == AttemptRow.delivery_id)
            .where(AttemptRow.id.in_([each.claim.lease for _, each in streams]))
        )
        known = {attempt.id: (attempt, head) for attempt, head in found}
        for stream, each in streams:
            attempt, head = known[each.claim.lease]
            await results.record(
                unit,
                stream,
                head,
                attempt,
                each.result,
                self._schedules,
                chance=self._chance,
                duration_ms=each.duration_ms,
            )
        for late in by_lease.values():
            logger.warning("a late result of a delivery is dropped", id=late.claim.delivery.id)

    async def _carry(self, claim: Claim) -> None:
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._lease.total_seconds() * ASKING):
                result = await self._ask(claim.delivery)
        except TimeoutError:
            result = Result(Outcome.FAILED, "APP_TIMEOUT", "The app did not answer in time.")
        except Exception:  # one delivery that cannot be sent must not stop all others
            logger.exception("a delivery could not be sent", id=claim.delivery.id)
            result = Result(
                Outcome.FAILED, "HOST_ERROR", "The host could not send it; see its log."
            )
        self._ended.append(_Ended(claim, result, round((self._clock.monotonic() - began) * 1000)))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._wake.set()

    async def _pause(self) -> float:
        """Return the seconds until there is work, at most `poll`."""
        places = self._places()
        if places.free <= 0:
            return self._poll
        due = await leases.next_due(self._database, places)
        if due is None:
            return self._poll
        left = (due - await self._database.now()).total_seconds()
        return min(max(left, 0.001), self._poll)


def _cleaner(database: Database, keep: Retention) -> PeriodicTask:
    async def step() -> None:
        await retention.clean(database, keep)

    return PeriodicTask("deliveries: old", step, every=retention.EVERY)
