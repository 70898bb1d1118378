"""Many rows are deleted in short transactions, and other writers get in between."""

import asyncio
from contextvars import Context

import pytest
from sqlalchemy import func, select

from mymozhem.db.delete_in_parts import delete_in_parts
from tests.integration.db.tables import Counter
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

ROWS = 100


async def fill(database):
    async with database.write() as unit:
        unit.session.add_all(Counter(name=f"row {n:03}", value=n) for n in range(ROWS + 5))


async def count(session):
    return await session.scalar(select(func.count()).select_from(Counter))


@pytest.mark.parametrize("at_once", [1, 7, ROWS, ROWS + 1])
async def test_what_meets_the_condition_is_deleted_and_nothing_else(database, at_once):
    await fill(database)
    gone = await delete_in_parts(database, Counter, lambda _: Counter.value < ROWS, at_once=at_once)
    assert gone == ROWS
    async with database.read() as session:
        left = await session.scalars(select(Counter.value).order_by(Counter.value))
        assert left.all() == list(range(ROWS, ROWS + 5))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_writer_that_asks_meanwhile_need_not_wait_for_the_end(database):
    await fill(database)
    async with asyncio.timeout(HANG_TIMEOUT):
        async with database.write():
            deleting = asyncio.create_task(
                delete_in_parts(database, Counter, lambda _: Counter.value < ROWS, at_once=10),
                context=Context(),
            )
            await asyncio.sleep(0)  # it waits for its turn
        async with database.write() as unit:
            assert await count(unit.session) == ROWS + 5 - 10
        assert await deleting == ROWS
