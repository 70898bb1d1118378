"""Two processes of the system, one PostgreSQL: one trial among all calls, whoever dies."""

import asyncio
import json
import os
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import update

from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from mymozhem.dispatch.tables import BreakerOpeningRow
from tests.faults import breaker_child
from tests.support.forked_process import fork
from tests.support.timing import HANG_TIMEOUT

ROUNDS = min(int(os.environ.get("MYMOZHEM_FAULT_ROUNDS", "3")), 100)

pytestmark = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


class Other:
    """A child process, asked a line at a time."""

    def __init__(self, process):
        self._process = process

    async def ask(self, deed):
        self._process.write(f"{deed}\n")
        async with asyncio.timeout(HANG_TIMEOUT):
            return json.loads(await self._process.stdout.readline())

    async def sees(self, wanted):
        """Wait until the process sees an opening, or with None that there is none."""
        async with asyncio.timeout(HANG_TIMEOUT):
            while (await self.ask("see"))[0] != wanted:  # noqa: ASYNC110 - another's work
                await asyncio.sleep(0.01)

    async def kill(self):
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def child(url):
    process = await fork(breaker_child.main, url)
    try:
        yield Other(process)
        process.close_input()
        assert await process.wait() in (0, -9)
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
async def pair(database_url):
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(child(database_url)) for _ in range(2)]


async def race(pair):
    """Have both rush at once; return who has the trial, and who has not."""
    came = await asyncio.gather(*(each.ask("rush") for each in pair))
    assert sorted(came) == [0, 1]
    winner = came.index(1)
    return pair[winner], pair[1 - winner]


async def test_of_two_hundred_calls_in_two_processes_one_is_the_trial(pair):
    opening = await pair[0].ask("fail")
    for _ in range(ROUNDS):
        for each in pair:
            await each.sees(opening)
        winner, _ = await race(pair)
        await winner.ask("break_down")
        before, (opening, _) = opening, await winner.ask("see")
        assert opening not in (before, None)


async def end_leases(url):
    """Do what time does: end the lease of every trial."""
    database = Database(url, clock=SystemClock())
    await database.open()
    async with database.write() as unit:
        ended = unit.now - timedelta(seconds=1)
        await unit.session.execute(update(BreakerOpeningRow).values(probe_until=ended))
    await database.close()


async def test_a_killed_process_s_trial_is_made_by_the_other_after_its_lease(pair, database_url):
    opening = await pair[0].ask("fail")
    await pair[1].sees(opening)
    winner, loser = await race(pair)
    await winner.kill()
    assert await loser.ask("rush") == 0
    await end_leases(database_url)
    successes = 0
    async with asyncio.timeout(HANG_TIMEOUT):
        while successes < 3:
            if await loser.ask("rush") == 1:
                await loser.ask("succeed")
                successes += 1
            else:
                await asyncio.sleep(0.05)
    assert await loser.ask("see") == [None, "closed"]
    assert await loser.ask("rush") == 100
