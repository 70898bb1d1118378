"""Periodic tasks: when they run a step, what ends a wait, and how they stop."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar

import pytest
from structlog.testing import capture_logs

from mymozhem.concurrency.periodic_task import UNTIL_WOKEN, PeriodicTask
from mymozhem.errors import Unavailable

#: longer than any test may take
LONG = 3_600.0
GUARD = 20
USER: ContextVar[str | None] = ContextVar("user", default=None)


class Steps:
    """Counts its runs; each run does `work`, if given, and returns `wait`."""

    def __init__(self, wait: float | None = None) -> None:
        self.wait = wait
        self.count = 0
        self.work: Callable[[], Awaitable[object]] | None = None
        self._ran = asyncio.Event()

    async def __call__(self) -> float | None:
        self.count += 1
        self._ran.set()
        if self.work is not None:
            await self.work()
        return self.wait

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(GUARD):
            while self.count < count:
                self._ran.clear()
                await self._ran.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_step_runs_at_once_and_the_next_ones_after_the_interval():
    steps = Steps()
    task = PeriodicTask("steps", steps, every=0.001)
    task.start()
    await steps.reach(3)
    await task.stop()
    seen = steps.count
    await asyncio.sleep(0.01)
    assert steps.count == seen


@pytest.mark.parametrize(("every", "count"), [(LONG, 0), (0.001, 2)])
async def test_with_wait_first_the_first_step_comes_after_the_interval(every, count):
    steps = Steps()
    task = PeriodicTask("steps", steps, every=every, wait_first=True)
    task.start()
    await settle()
    assert steps.count == 0
    await steps.reach(count)
    await task.stop()


@pytest.mark.parametrize(("wait", "count"), [(None, 1), (LONG, 1), (UNTIL_WOKEN, 1), (0.0, 9)])
async def test_a_step_says_how_long_the_task_waits(wait, count):
    steps = Steps(wait)
    task = PeriodicTask("steps", steps, every=LONG)
    task.start()
    await steps.reach(count)
    await settle()
    assert (steps.count == 1) == (count == 1)
    await task.stop()


@pytest.mark.parametrize("wait", [None, UNTIL_WOKEN])
async def test_a_wake_ends_the_wait_and_one_during_a_step_is_not_lost(wait):
    steps, wake = Steps(wait), asyncio.Event()
    task = PeriodicTask("steps", steps, every=LONG, wake=wake)
    task.start()
    await steps.reach(1)
    await settle()
    task.wake()
    await steps.reach(2)
    await settle()
    go = asyncio.Event()
    steps.work = go.wait
    wake.set()
    await steps.reach(3)
    task.wake()
    task.wake()
    go.set()
    await steps.reach(4)
    await settle()
    assert steps.count == 4
    await task.stop()


@pytest.mark.parametrize(("error", "level"), [(Unavailable(), "debug"), (ValueError(), "error")])
async def test_a_step_that_fails_is_logged_and_repeated(error, level):
    steps = Steps(UNTIL_WOKEN)

    async def fail():
        raise error

    steps.work = fail
    task = PeriodicTask("steps", steps, every=0.001)
    with capture_logs() as lines:
        task.start()
        await steps.reach(3)
        await task.stop()
    assert {(line["task"], line["log_level"]) for line in lines} == {("steps", level)}


async def test_start_and_stop_are_idempotent_and_it_can_be_started_again():
    steps = Steps()
    task = PeriodicTask("steps", steps, every=LONG)
    await task.stop()
    for count in (1, 2):
        task.start()
        task.start()
        assert task.is_started
        await steps.reach(count)
        await settle()
        await task.stop()
        await task.stop()
        assert not task.is_started
    assert steps.count == 2


async def test_stop_cancels_the_step_that_is_running():
    steps, ended = Steps(), []

    async def hang():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    steps.work = hang
    task = PeriodicTask("steps", steps, every=LONG)
    task.start()
    await steps.reach(1)
    await settle()
    await task.stop()
    assert ended == [True]


async def test_stop_cancels_again_if_the_step_loses_a_cancellation():
    steps, lost = Steps(0.0), []

    async def lose_the_first():
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost.append(True)
        await asyncio.Event().wait()

    steps.work = lose_the_first
    task = PeriodicTask("steps", steps, every=LONG)
    task.start()
    await steps.reach(1)
    await settle()
    async with asyncio.timeout(GUARD):
        await task.stop()
    assert lost == [True]


async def test_finish_lets_the_running_step_end():
    steps, go, ended = Steps(0.0), asyncio.Event(), []

    async def work():
        await go.wait()
        ended.append(True)

    steps.work = work
    task = PeriodicTask("steps", steps, every=LONG)
    task.start()
    await steps.reach(1)
    finishing = asyncio.create_task(task.finish())
    await settle()
    assert not finishing.done()
    go.set()
    await finishing
    await task.finish()
    assert (steps.count, ended) == (1, [True])


@pytest.mark.parametrize("wait_first", [True, False])
async def test_finish_ends_a_wait_without_another_step(wait_first):
    steps = Steps(UNTIL_WOKEN)
    task = PeriodicTask("steps", steps, every=LONG, wait_first=wait_first)
    task.start()
    await settle()
    before = steps.count
    async with asyncio.timeout(GUARD):
        await task.finish()
    assert steps.count == before


async def test_a_step_inherits_no_context():
    seen = []
    steps = Steps()

    async def look():
        seen.append(USER.get())

    steps.work = look
    USER.set("somebody")
    task = PeriodicTask("steps", steps, every=LONG)
    task.start()
    await steps.reach(1)
    await task.stop()
    assert seen == [None]
