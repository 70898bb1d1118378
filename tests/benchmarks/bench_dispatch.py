"""A call through the dispatcher against `asyncio.timeout` around the same function.

The hook is a small but real one: it reads state and payload and answers with two effects. Measured
on the event loop that the host runs on.
"""

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
import uvloop

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract import ActionRequest, ActionResult, Context, Emit, SetState, hookimpl
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.dispatch import AppTarget, Budget, Dispatcher
from mymozhem.dispatch.breakers.registry import Breakers
from mymozhem.dispatch.observers import CallObservers
from mymozhem.monitoring.call_counts import CallCounts
from mymozhem.observability.call_observer import Observers
from mymozhem.observability.metrics import Metrics
from tests.unit.dispatch.conftest import FakeApps, FakeManifest, context

from .figures import Ask, Figure, at_least, best_of_calls

ROUNDS = 40
CALLS = 500
TARGET = 0.25


def bump(context: Context, request: ActionRequest) -> ActionResult:
    count = context.room.state.private["count"] + request.payload["by"]
    return ActionResult(
        effects=(
            SetState(private={"count": count}),
            Emit(type="counter:bumped", payload={"count": count}),
        )
    )


class Coroutine:
    @hookimpl
    async def handle_action(self, context, request):
        return bump(context, request)


class Plain:
    @hookimpl
    def handle_action(self, context, request):
        return bump(context, request)


def measure() -> Iterable[Figure]:
    """Measure a coroutine on the event loop, and a plain function in a thread."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure())


async def _measure() -> list[Figure]:
    request, room = ActionRequest(action="bump", payload={"by": 2}), context()
    function, pool = Coroutine(), ThreadPoolExecutor(4)
    loop = asyncio.get_running_loop()

    async def coroutine() -> None:
        async with asyncio.timeout(5):
            await function.handle_action(room, request)

    async def thread() -> None:
        async with asyncio.timeout(5):
            await loop.run_in_executor(pool, bump, room, request)

    # As a host has it: breakers are asked, and every call is counted.
    clock = SystemClock()
    observers = CallObservers(observer=Observers(Metrics(), CallCounts(clock)))
    dispatcher = Dispatcher(
        _apps(), clock, Settings(), breakers=Breakers(clock), observers=observers
    )
    figures = [
        await _compare("coroutine", coroutine, _through(dispatcher, "coroutine")),
        await _compare("plain function", thread, _through(dispatcher, "plain")),
    ]
    await dispatcher.close()
    pool.shutdown()
    return figures


def _apps() -> FakeApps:
    apps = FakeApps()
    apps.add("coroutine", Coroutine(), FakeManifest())
    apps.add("plain", Plain(), FakeManifest())
    return apps


def _through(dispatcher: Dispatcher, name: str) -> Ask:
    return partial(
        dispatcher.call,
        HANDLE_ACTION,
        app=AppTarget(name, "1.0.0"),
        context=context(),
        request=ActionRequest(action="bump", payload={"by": 2}),
        budget=Budget(SystemClock(), 3_600_000),
    )


async def _compare(kind: str, bare: Ask, ours: Ask) -> Figure:
    least, most = await best_of_calls(bare, ours, calls=CALLS, rounds=ROUNDS)
    what = f"in-process hook call, {kind} ({(most - least) * 1e6:.0f} µs added)"
    return at_least(what, TARGET, bare=1 / least, ours=1 / most, unit="/s")
