"""What a call through the dispatcher costs, against `asyncio.timeout` around the same function.

The hook is a small but real one: it reads state and payload and answers with two effects. Calls per
second, best of several rounds in alternation, on the event loop that the host runs on.

    .venv/bin/python -m tests.benchmarks.bench_dispatch
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import click
import structlog
import uvloop

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract import ActionRequest, ActionResult, Context, Emit, SetState, hookimpl
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.dispatch import AppTarget, Budget, Dispatcher
from tests.unit.dispatch.conftest import FakeApps, FakeManifest, context

ROUNDS = 5
CALLS = 5_000
TARGET = 0.25

Ask = Callable[[], Awaitable[object]]


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


async def rate(ask: Ask) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        await ask()
    return CALLS / (time.perf_counter() - start)


async def compare(bare: Ask, ours: Ask) -> tuple[float, float]:
    """Return the best calls per second of each."""
    rounds = [(await rate(bare), await rate(ours)) for _ in range(ROUNDS)]
    return max(first for first, _ in rounds), max(second for _, second in rounds)


async def measure() -> None:
    apps, request, room = FakeApps(), ActionRequest(action="bump", payload={"by": 2}), context()
    apps.add("coroutine", Coroutine(), FakeManifest())
    apps.add("plain", Plain(), FakeManifest())
    dispatcher = Dispatcher(apps, SystemClock(), Settings())
    budget, function, pool = Budget(SystemClock(), 3_600_000), Coroutine(), ThreadPoolExecutor(4)
    loop = asyncio.get_running_loop()

    async def bare_coroutine() -> None:
        async with asyncio.timeout(5):
            await function.handle_action(room, request)

    async def bare_thread() -> None:
        async with asyncio.timeout(5):
            await loop.run_in_executor(pool, bump, room, request)

    def through(name: str) -> Ask:
        return partial(
            dispatcher.call,
            HANDLE_ACTION,
            app=AppTarget(name, "1.0.0"),
            context=room,
            request=request,
            budget=budget,
        )

    click.echo(f"{'hook':<22}{'bare/s':>10}{'ours/s':>10}{'ratio':>8}{'added µs':>10}")
    for name, bare in (("coroutine", bare_coroutine), ("plain", bare_thread)):
        least, most = await compare(bare, through(name))
        added = 1e6 / most - 1e6 / least
        click.echo(f"{name:<22}{least:>10.0f}{most:>10.0f}{most / least:>8.2f}{added:>10.1f}")
    click.echo(f"target: at least {TARGET:.2f}")
    await dispatcher.close()
    pool.shutdown()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure())


if __name__ == "__main__":
    main()
