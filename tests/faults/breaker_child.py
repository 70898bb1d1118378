"""A host process as far as its breakers go: it does what a line says, and answers with one."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

import structlog

from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from mymozhem.dispatch.breakers.breaker import BreakerPolicy, Verdict
from mymozhem.dispatch.breakers.registry import CallPermit
from tests.integration.dispatch.breaker_hosts import KEY, Process, make_process
from tests.support.timing import HANG_TIMEOUT

# Neither a lease nor a claim ends by itself while the machine does other work.
POLICY = BreakerPolicy(open_s=0.3, lease_s=HANG_TIMEOUT)


class Child:
    """The breakers of this process, and the permits that it has out."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._permits: list[CallPermit] = []

    async def fail(self) -> object:
        """Make the failures that open it."""
        await self._process.fail()
        return self.opening()

    async def see(self) -> object:
        """Say which opening there is, and in what state."""
        return [self.opening(), self._process.state]

    async def rush(self) -> object:
        """Make a hundred calls at once when the opening is due; say how many came through."""
        breaker = self._process.breakers.find(KEY)
        await asyncio.sleep(max(0.0, breaker.until - SystemClock().monotonic()))
        self._permits = await self._process.rush()
        return len(self._permits)

    async def succeed(self) -> object:
        """Report the calls that came through as successes."""
        return self._report(Verdict.SUCCESS)

    async def break_down(self) -> object:
        """Report the calls that came through as failures."""
        return self._report(Verdict.FAILURE)

    def opening(self) -> str | None:
        return self._process.breakers.find(KEY).opening

    def _report(self, verdict: Verdict) -> None:
        for permit in self._permits:
            permit.report(verdict, "APP_TIMEOUT")


async def main(url: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    database = Database(url, clock=SystemClock())
    await database.open()
    process = make_process(
        database, SystemClock(), policy=POLICY, poll_s=0.02, claim_s=HANG_TIMEOUT
    )
    process.openings.start()
    child = Child(process)
    while line := await asyncio.to_thread(sys.stdin.readline):
        deed: Callable[[], Awaitable[object]] = getattr(child, line.strip())
        sys.stdout.write(json.dumps(await deed()) + "\n")
        sys.stdout.flush()
    await process.openings.stop()
    await database.close()
