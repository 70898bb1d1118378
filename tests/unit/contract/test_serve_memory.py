"""What a served app remembers is bounded in number, size and time."""

import asyncio

import pytest

from mymozhem.contract.serving.asgi_messages import Response
from mymozhem.contract.serving.reply_cache import Memory


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def answered(memory: Memory, call_id: str, body: bytes = b"{}", status: int = 200) -> None:
    async def answer() -> Response:
        return Response(status, body)

    task = asyncio.create_task(answer())
    memory.start(call_id, "question", task)
    await task
    await asyncio.sleep(0)  # what a task tells when it is done comes a turn later


async def test_the_oldest_answers_go_first(clock):
    memory = Memory(clock, answers=2)
    for call_id in "abc":
        await answered(memory, call_id)
    assert [memory.find(call_id) is not None for call_id in "abc"] == [False, True, True]


async def test_large_answers_leave_less_room(clock):
    memory = Memory(clock, size=10)
    for call_id in "abc":
        await answered(memory, call_id, b"x" * 5)
    assert [memory.find(call_id) is not None for call_id in "abc"] == [False, True, True]
    await answered(memory, "d", b"x" * 11)
    assert [memory.find(call_id) for call_id in "abcd"] == [None] * 4
    await answered(memory, "e", b"x" * 10)
    assert memory.find("e") is not None


async def test_an_answer_lasts_a_day(clock):
    memory = Memory(clock)
    await answered(memory, "a")
    clock.now = 24 * 3600
    assert memory.find("a") is not None
    clock.now += 1
    assert memory.find("a") is None


async def test_only_what_succeeded_is_remembered(clock):
    memory = Memory(clock)
    await answered(memory, "a", status=500)
    assert memory.find("a") is None


async def test_what_is_still_being_answered_is_never_forgotten_but_at_the_end(clock):
    memory = Memory(clock, answers=1)
    hanging = asyncio.create_task(asyncio.sleep(3600))
    memory.start("hanging", "question", hanging)
    clock.now = 10 * 24 * 3600
    for call_id in "abc":
        await answered(memory, call_id)
    assert memory.find("hanging").task is hanging
    await memory.close()
    await asyncio.sleep(0)
    assert hanging.cancelled()
    assert memory.find("hanging") is None
    await memory.close()


async def test_a_call_that_failed_is_forgotten_as_soon_as_it_ends(clock):
    memory = Memory(clock)
    found = []

    async def fail() -> Response:
        asyncio.get_running_loop().call_soon(lambda: found.append(memory.find("a")))
        return Response(504, b"{}")

    await memory.start("a", "question", asyncio.create_task(fail())).task
    assert found == [None]
