"""A host killed at any moment leaves what it acknowledged, and nothing else."""

import asyncio
import os
import random
import signal
import sys

import pytest
from sqlalchemy import select

from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from tests.integration.db.tables import Counter

pytestmark = pytest.mark.both_engines

ROUNDS = int(os.environ.get("MYMOZHEM_FAULT_ROUNDS", "2"))


async def start(module, url):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.integration.db.{module}", url, stdout=asyncio.subprocess.PIPE
    )


async def kill(child):
    child.send_signal(signal.SIGKILL)
    await child.wait()


async def stored(url):
    database = Database(url, clock=SystemClock())
    await database.open()
    async with database.read() as session:
        found = set(await session.scalars(select(Counter.name)))
    await database.close()
    return found


async def test_what_was_committed_survives_and_what_was_flushed_does_not(database_url):
    child = await start("crash_child", database_url)
    assert await child.stdout.readline() == b"committed\n"
    assert await child.stdout.readline() == b"flushed\n"
    await kill(child)
    assert await stored(database_url) == {"committed"}


async def test_everything_acknowledged_before_a_kill_at_random_is_stored(database_url):
    acknowledged = set()
    for seed in range(ROUNDS):
        child = await start("crash_writer", database_url)
        wanted = random.Random(seed).randrange(1, 40)
        for _ in range(wanted):
            acknowledged.add((await child.stdout.readline()).decode().strip())
        await kill(child)
        rest = await child.stdout.read()
        acknowledged.update(rest.decode().rpartition("\n")[0].split())
    found = await stored(database_url)
    assert acknowledged <= found
    # At most one commit of each round was durable before it could be said.
    assert len(found - acknowledged) <= ROUNDS
