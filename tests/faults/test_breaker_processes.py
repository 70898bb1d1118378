"""Two processes of the system, one PostgreSQL: one trial among all calls, whoever dies."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.support.timing import HANG_TIMEOUT

ROUNDS = min(int(os.environ.get("MYMOZHEM_FAULT_ROUNDS", "3")), 100)

pytestmark = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


class Other:
    """A child process, asked a line at a time."""

    def __init__(self, process):
        self._process = process

    async def ask(self, deed):
        self._process.stdin.write(f"{deed}\n".encode())
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
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.breaker_child",
        url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Other(process)
        process.stdin.close()
        async with asyncio.timeout(HANG_TIMEOUT):
            assert await process.wait() in (0, -9)
    finally:
        if process.returncode is None:
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


async def test_a_killed_process_s_trial_is_made_by_the_other_after_its_lease(pair):
    opening = await pair[0].ask("fail")
    await pair[1].sees(opening)
    winner, loser = await race(pair)
    await winner.kill()
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
