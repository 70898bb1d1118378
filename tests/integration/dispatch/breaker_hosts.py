"""Breakers as processes of a host have them, over one database."""

import asyncio
from dataclasses import dataclass

from mymozhem.clock import Clock
from mymozhem.db.unit_of_work import Database
from mymozhem.dispatch.breakers.breaker import BreakerPolicy, BreakerStatus, Key, Verdict
from mymozhem.dispatch.breakers.registry import Breakers, CallPermit
from mymozhem.dispatch.breakers.shared_state import SharedBreakerState

KEY = Key("counter", "1.0.0", "actions")


@dataclass(frozen=True)
class Process:
    """What one process has; `database` may be a connection of its own."""

    breakers: Breakers
    openings: SharedBreakerState

    @property
    def state(self) -> BreakerStatus:
        return self.breakers.view(KEY).state

    async def tell(self, *verdicts: Verdict) -> None:
        """Make calls, one after the other, that all come through."""
        for verdict in verdicts:
            permit = await self.breakers.admit(KEY)
            assert permit is not None
            permit.report(verdict, "APP_TIMEOUT")

    async def fail(self) -> None:
        await self.tell(*[Verdict.FAILURE] * 5)

    async def rush(self, calls: int = 100) -> list[CallPermit]:
        """Make calls at once; return the permits of those that came through."""
        permits = await asyncio.gather(*(self.breakers.admit(KEY) for _ in range(calls)))
        return [permit for permit in permits if permit is not None]


def make_process(
    database: Database, clock: Clock, *, policy: BreakerPolicy | None = None, **options: float
) -> Process:
    """Make a process's breakers; nothing runs in the background before it is started."""
    openings = SharedBreakerState(database, clock, **options)
    return Process(Breakers(clock, openings=openings, policy=policy), openings)


async def exchange(*processes: Process) -> None:
    """Let processes write what they have, and then look at what the others wrote."""
    for process in [*processes, *processes]:
        await process.openings.exchange()
