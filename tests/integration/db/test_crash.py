"""A host killed at any moment leaves what it acknowledged, and nothing else."""

import os
import random

import pytest
from sqlalchemy import select

from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from tests.integration.db import crash_child, crash_writer
from tests.integration.db.tables import Counter
from tests.support.forked_process import fork

pytestmark = pytest.mark.both_engines

ROUNDS = int(os.environ.get("MYMOZHEM_FAULT_ROUNDS", "2"))


async def stored(url):
    database = Database(url, clock=SystemClock())
    await database.open()
    async with database.read() as session:
        found = set(await session.scalars(select(Counter.name)))
    await database.close()
    return found


async def test_what_was_committed_survives_and_what_was_flushed_does_not(database_url):
    child = await fork(crash_child.main, database_url)
    assert await child.stdout.readline() == b"committed\n"
    assert await child.stdout.readline() == b"flushed\n"
    child.kill()
    await child.wait()
    assert await stored(database_url) == {"committed"}


async def test_everything_acknowledged_before_a_kill_at_random_is_stored(database_url):
    acknowledged = set()
    for seed in range(ROUNDS):
        child = await fork(crash_writer.main, database_url)
        wanted = random.Random(seed).randrange(1, 40)
        for _ in range(wanted):
            acknowledged.add((await child.stdout.readline()).decode().strip())
        child.kill()
        await child.wait()
        rest = await child.stdout.read()
        acknowledged.update(rest.decode().rpartition("\n")[0].split())
    found = await stored(database_url)
    assert acknowledged <= found
    # At most one commit of each round was durable before it could be said.
    assert len(found - acknowledged) <= ROUNDS
