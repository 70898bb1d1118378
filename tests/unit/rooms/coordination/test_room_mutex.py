"""The mutexes of rooms: one holder at a time in a room, within a budget."""

import asyncio

import pytest

from mymozhem.clock import SystemClock
from mymozhem.dispatch.policy import Budget
from mymozhem.rooms.coordination.room_mutex import RoomBusy, RoomMutexes


def budget(milliseconds: int = 60_000) -> Budget:
    return Budget(SystemClock(), milliseconds)


async def test_a_room_has_one_holder_at_a_time_in_the_order_of_asking():
    mutexes, order = RoomMutexes(), []

    async def hold(name: str) -> None:
        async with mutexes.hold("room_1", budget()):
            order.append(name)
            await asyncio.sleep(0)
            order.append(name)

    await asyncio.gather(*map(hold, "abc"))
    assert order == list("aabbcc")


async def test_rooms_do_not_wait_for_each_other_and_a_budget_ends_the_wait():
    mutexes = RoomMutexes()
    async with mutexes.hold("room_1", budget()):
        async with mutexes.hold("room_2", budget(1_000)):
            pass
        with pytest.raises(RoomBusy):
            async with mutexes.hold("room_1", budget(10)):
                pytest.fail("two hold the mutex of one room")
    async with mutexes.hold("room_1", budget(1_000)):
        pass
