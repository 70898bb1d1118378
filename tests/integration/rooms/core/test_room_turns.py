"""Forty writers of one room: they take turns, and other rooms do not wait behind them."""

import asyncio
from contextvars import Context

import pytest

from mymozhem.rooms.core.transaction import room_transaction
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

WRITERS = 40


async def test_a_join_overtakes_forty_writers_of_another_room(host):
    busy, quiet = await host.start("bazaar"), await host.start("bazaar")
    order, holds, may_end = [], asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with room_transaction(host.services, busy.id):
            holds.set()
            await may_end.wait()

    async def write() -> None:
        async with room_transaction(host.services, busy.id):
            order.append("written")

    async def join() -> None:
        await host.guest(quiet)
        order.append("joined")

    def start(work):
        return asyncio.create_task(work(), context=Context())

    async with asyncio.timeout(HANG_TIMEOUT):
        tasks = [start(hold)]
        await holds.wait()
        tasks += [start(write) for _ in range(WRITERS)]
        await asyncio.sleep(0.05)  # all of them have asked
        tasks.append(start(join))
        if host.services.database.dialect == "postgresql":
            await tasks[-1]  # on PostgreSQL it does not even wait for the one that writes
        await asyncio.sleep(0.05)
        assert host.services.database.connections_in_use()["writer"] == 1
        may_end.set()
        await asyncio.gather(*tasks)
    assert order.index("joined") < WRITERS / 2
    assert order.count("written") == WRITERS
