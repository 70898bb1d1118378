"""Apps that hang, raise anything or never let go: typed outcomes, and nobody else is touched."""

import asyncio
import inspect
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mymozhem.contract import DecidedBy, Reply, Strategy, hookimpl
from mymozhem.contract.hooks import ON_EVENT
from mymozhem.contract.payloads import EventRequest, LoggedEvent
from mymozhem.dispatch import Budget, FailureKind
from mymozhem.dispatch.dispatcher import CALLS_AT_ONCE
from mymozhem.dispatch.transports.inprocess import MAX_UNFINISHED
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock, until


class Good:
    @hookimpl
    def handle_action(self):
        return [Reply(data="fine")]


class Blocked:
    """Its plain function returns only when the test lets it."""

    def __init__(self):
        self.free = threading.Event()
        self.entered = 0

    @hookimpl
    def handle_action(self):
        self.entered += 1
        self.free.wait()
        return []


class Stubborn:
    """Its coroutine swallows every cancellation until the test lets it go."""

    def __init__(self):
        self.free = asyncio.Event()
        self.entered = 0

    @hookimpl
    async def handle_action(self):
        self.entered += 1
        while not self.free.is_set():
            try:
                await self.free.wait()
            except asyncio.CancelledError:
                continue
        return []


class Patient:
    """Its coroutine waits for ever and ends when it is cancelled."""

    def __init__(self):
        self.ended = asyncio.Event()

    @hookimpl
    async def handle_action(self):
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.fixture
def blocked():
    plugin = Blocked()
    yield plugin
    plugin.free.set()


@pytest.fixture
async def stubborn():
    plugin = Stubborn()
    yield plugin
    plugin.free.set()


@pytest.fixture(params=[Blocked, Stubborn])
async def endless(request):
    plugin = request.param()
    yield plugin
    plugin.free.set()


ENDS = [
    ValueError("no"),
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    MemoryError(),
    RecursionError(),
    TimeoutError(),
    StopIteration(),
    asyncio.CancelledError(),
    BaseExceptionGroup("several", [SystemExit()]),
]


@pytest.mark.parametrize("error", ENDS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("is_coroutine", [False, True], ids=["plain", "coroutine"])
async def test_whatever_an_app_raises_is_one_typed_failure(host, error, is_coroutine):
    class Raises:
        @hookimpl
        def handle_action(self):
            raise error

    class RaisesLater:
        @hookimpl
        async def handle_action(self):
            await asyncio.sleep(0)
            raise error

    host.add(RaisesLater() if is_coroutine else Raises())
    outcome = await host.ask()
    assert outcome.failure.kind is FailureKind.RAISED
    assert outcome.decided_by is DecidedBy.NOBODY


async def test_a_recursion_without_end_is_a_failure(host):
    class Endless:
        @hookimpl
        def handle_action(self, request):
            return self.handle_action(request)

    host.add(Endless())
    outcome = await host.ask()
    assert outcome.failure.message == "handle_action raised RecursionError."


async def test_a_coroutine_from_a_plain_function_says_how_to_mend_it(host):
    async def later():
        return []

    class Forgot:
        @hookimpl
        def handle_action(self):
            return later()

    host.add(Forgot())
    outcome = await host.ask()
    assert outcome.failure.kind is FailureKind.BAD_RESULT
    assert "async def" in outcome.failure.message


async def test_generators_are_no_answers(host):
    class Yields:
        @hookimpl
        def handle_action(self):
            while True:
                yield Reply()

    class YieldsLater:
        @hookimpl
        async def handle_action(self):
            yield Reply()

    for plugin in (Yields(), YieldsLater()):
        host.add(plugin)
        outcome = await host.ask()
        assert outcome.failure.kind is FailureKind.BAD_RESULT


async def test_a_blocked_function_is_left_behind_at_the_deadline(host, blocked):
    host.add(blocked, timeout_ms=50)
    outcome = await host.ask()
    assert outcome.failure.kind is FailureKind.TIMEOUT
    assert blocked.entered == 1
    assert not blocked.free.is_set()


async def test_a_waiting_coroutine_is_cancelled_at_the_deadline(host):
    plugin = Patient()
    host.add(plugin, timeout_ms=50)
    outcome = await host.ask()
    assert outcome.failure.kind is FailureKind.TIMEOUT
    await plugin.ended.wait()


async def test_a_coroutine_that_swallows_its_cancellation_holds_nobody(host, stubborn):
    host.add(stubborn, timeout_ms=50)
    outcome = await host.ask()
    assert outcome.failure.kind is FailureKind.TIMEOUT
    assert not stubborn.free.is_set()


async def test_a_cancelled_caller_leaves_at_once(host, endless):
    host.add(endless)
    asking = asyncio.create_task(host.ask())
    await until(lambda: endless.entered == 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_an_app_that_blocks_all_its_threads_takes_none_of_anothers(host, blocked):
    host.add(blocked, "slow", timeout_ms=20_000)
    host.add(Good(), "good")
    waiting = [asyncio.create_task(host.ask("slow")) for _ in range(2 * CALLS_AT_ONCE)]
    await until(lambda: blocked.entered == CALLS_AT_ONCE)
    good = await asyncio.gather(*(host.ask("good") for _ in range(100)))
    assert {outcome.decided_by for outcome in good} == {DecidedBy.APP}
    assert blocked.entered == CALLS_AT_ONCE
    blocked.free.set()
    assert {outcome.decided_by for outcome in await asyncio.gather(*waiting)} == {DecidedBy.APP}
    assert blocked.entered == 2 * CALLS_AT_ONCE


async def test_waiting_for_a_place_counts_against_the_deadline(host, blocked):
    host.add(blocked, "slow", timeout_ms=20_000)
    running = [asyncio.create_task(host.ask("slow")) for _ in range(CALLS_AT_ONCE)]
    await until(lambda: blocked.entered == CALLS_AT_ONCE)
    late = await host.ask("slow", budget=Budget(LoadTolerantClock(), 50))
    assert late.failure.kind is FailureKind.OVERLOADED
    assert blocked.entered == CALLS_AT_ONCE
    blocked.free.set()
    await asyncio.gather(*running)


async def test_who_waited_is_told_the_time_that_is_left(host):
    class Gate:
        free = threading.Event()
        told = []

        @hookimpl
        def handle_action(self, context):
            Gate.told.append(context.deadline_ms)
            Gate.free.wait()
            return []

    host.add(Gate(), timeout_ms=20_000)
    calls = [asyncio.create_task(host.ask()) for _ in range(CALLS_AT_ONCE + 1)]
    await until(lambda: len(Gate.told) == CALLS_AT_ONCE)
    Gate.free.set()
    await asyncio.gather(*calls)
    assert Gate.told[-1] < 20_000
    assert set(Gate.told[:-1]) == {20_000}


async def test_calls_that_never_end_are_bounded_and_then_refused_at_once(host, endless):
    host.add(endless, timeout_ms=20)
    outcomes = [await host.ask() for _ in range(MAX_UNFINISHED + 3)]
    kinds = [outcome.failure.kind for outcome in outcomes]
    assert kinds == [FailureKind.TIMEOUT] * MAX_UNFINISHED + [FailureKind.OVERLOADED] * 3
    assert endless.entered == MAX_UNFINISHED


async def test_an_app_that_lets_go_is_asked_again(host, blocked):
    host.add(blocked)
    for _ in range(MAX_UNFINISHED + 1):
        await host.ask(budget=Budget(LoadTolerantClock(), 20))
    blocked.free.set()
    while (await host.ask()).decided_by is not DecidedBy.APP:  # noqa: ASYNC110  as above
        await asyncio.sleep(0)


async def test_an_answer_after_the_deadline_is_told_with_who_decided_instead(host, blocked):
    host.add(blocked, timeout_ms=20)
    outcome = await host.ask()
    assert (outcome.result, outcome.decided_by) == (None, DecidedBy.NOBODY)
    assert host.heard.answers == []
    blocked.free.set()
    await until(lambda: host.heard.answers)
    (late,) = host.heard.answers
    assert (late.call_id, late.app_id, late.room_id) == (outcome.call_id, "counter", "room_1")
    assert (late.decided_by, late.refused) == (DecidedBy.NOBODY, False)
    assert late.data is not None
    assert late.late_ms > 0


async def test_nobody_is_told_of_an_answer_whose_caller_left(host, blocked):
    host.add(blocked, timeout_ms=5_000)
    asking = asyncio.create_task(host.ask())
    await until(lambda: blocked.entered)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    blocked.free.set()
    host.add(Good(), "other")
    await host.ask("other")
    assert host.heard.answers == []
    assert [call.app_id for call in host.heard.calls] == ["other"]


def test_a_process_ends_although_apps_block_for_an_hour(tmp_path):
    script = tmp_path / "host.py"
    script.write_text(inspect.cleandoc(HOST), encoding="utf-8")
    root = Path(__file__).parents[3]
    run = subprocess.run(
        [sys.executable, "-X", "dev", script],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=HANG_TIMEOUT,
        check=True,
    )
    assert run.stdout.split() == ["APP_TIMEOUT", "APP_TIMEOUT"]


HOST = """
    import asyncio, sys, threading
    sys.path.insert(0, ".")
    import structlog
    from mymozhem.clock import SystemClock
    from mymozhem.config import Settings
    from mymozhem.contract import hookimpl
    from mymozhem.dispatch import Dispatcher
    from tests.unit.dispatch.conftest import FakeApps, DispatchHost

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

    class Blocked:
        @hookimpl
        def handle_action(self):
            threading.Event().wait(3600)

    class Stubborn:
        @hookimpl
        async def handle_action(self):
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    continue

    async def main():
        apps = FakeApps()
        host = DispatchHost(apps, Dispatcher(apps, SystemClock(), Settings()))
        host.add(Blocked(), "blocked", timeout_ms=50)
        host.add(Stubborn(), "stubborn", timeout_ms=50)
        for name in ("blocked", "stubborn"):
            print((await host.ask(name)).failure.code)
        await host.dispatcher.close()
        await host.dispatcher.close()

    asyncio.run(main())
"""


async def test_an_answer_to_what_is_told_is_never_late(host):
    class Listens:
        free, done = threading.Event(), threading.Event()

        @hookimpl
        def on_event(self):
            Listens.free.wait()
            Listens.done.set()

    host.add(Listens(), timeout_ms=20, on_failure=Strategy.QUEUE)
    event = LoggedEvent(type="x:y", level="public", payload={}, at="2030-01-01T00:00:00Z")
    outcome = await host.ask(hook=ON_EVENT, request=EventRequest(event=event))
    assert outcome.failure.kind is FailureKind.TIMEOUT
    Listens.free.set()
    await until(Listens.done.is_set)
    await host.ask(hook=ON_EVENT, request=EventRequest(event=event))
    assert host.heard.answers == []
