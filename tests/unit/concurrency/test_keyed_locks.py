"""Locks by key: one holder of a key at a time, in order, and nothing is left behind."""

import asyncio

import pytest

from mymozhem.concurrency.keyed_locks import KeyedLocks

GUARD = 60.0


async def test_a_key_has_one_holder_at_a_time_in_the_order_of_asking():
    locks: KeyedLocks[str] = KeyedLocks()
    order = []

    async def hold(name: str) -> None:
        async with locks.hold("one", seconds=GUARD):
            order.append(name)
            await asyncio.sleep(0)
            order.append(name)

    await asyncio.gather(*map(hold, "abc"))
    assert order == list("aabbcc")


async def test_keys_do_not_wait_for_each_other_and_a_wait_ends():
    locks: KeyedLocks[str] = KeyedLocks()
    async with locks.hold("one", seconds=GUARD):
        async with locks.hold("two", seconds=GUARD):
            assert len(locks) == 2
        with pytest.raises(TimeoutError):
            async with locks.hold("one", seconds=0.01):
                pytest.fail("two hold one key")
    assert len(locks) == 0


async def test_who_stops_waiting_leaves_the_turn_to_the_next():
    locks: KeyedLocks[str] = KeyedLocks()
    taken = asyncio.Event()

    async def hold() -> None:
        async with locks.hold("one", seconds=GUARD):
            taken.set()

    async with locks.hold("one", seconds=GUARD):
        impatient, patient = asyncio.create_task(hold()), asyncio.create_task(hold())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.wait([impatient])
    async with asyncio.timeout(GUARD):
        await patient
    assert taken.is_set()
    assert len(locks) == 0


async def test_a_timeout_of_the_holder_is_not_taken_for_one_of_the_wait():
    locks: KeyedLocks[str] = KeyedLocks()
    with pytest.raises(TimeoutError, match="mine"):
        async with locks.hold("one", seconds=GUARD):
            raise TimeoutError("mine")
    assert len(locks) == 0
