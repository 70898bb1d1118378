"""A call to an app whose breaker is open against the same outcome made by hand."""

import asyncio
import logging
from collections.abc import Iterable
from functools import partial

import structlog
import uvloop

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract import ActionRequest, DecidedBy
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.dispatch import AppTarget, Budget, Dispatcher
from mymozhem.dispatch.breakers.breaker import Key, Verdict
from mymozhem.dispatch.breakers.registry import Breakers
from mymozhem.dispatch.observers import CallObservers
from mymozhem.dispatch.outcome import Outcome
from mymozhem.monitoring.call_counts import CallCounts
from mymozhem.observability.call_observer import Observers
from mymozhem.observability.metrics import Metrics
from tests.unit.dispatch.conftest import FakeApps, FakeManifest, context

from .figures import Figure, best_of_calls, bound

ROUNDS = 20
CALLS = 500
TARGET_MS = 1.0
APP = AppTarget("broken", "1.0.0")


def measure() -> Iterable[Figure]:
    """Measure what the platform adds before the fallback decides."""
    # Errors alone: each such call is a line of the log, which an operator may write or not.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure())


async def _measure() -> list[Figure]:
    apps, clock = FakeApps(), SystemClock()
    apps.add(APP.app_id, None, FakeManifest())
    breakers = Breakers(clock)
    await _open(breakers)
    observers = CallObservers(observer=Observers(Metrics(), CallCounts(clock)))
    dispatcher = Dispatcher(apps, clock, Settings(), breakers=breakers, observers=observers)

    async def fallback() -> Outcome[ActionRequest]:
        return Outcome(DecidedBy.NOBODY, "call_1")

    asked = partial(
        dispatcher.call,
        HANDLE_ACTION,
        app=APP,
        context=context(),
        request=ActionRequest(action="bump", payload={"by": 2}),
        budget=Budget(clock, 3_600_000),
    )
    outcome = await asked()
    assert outcome.failure is not None
    assert outcome.failure.code == "APP_PAUSED"
    least, most = await best_of_calls(fallback, asked, calls=CALLS, rounds=ROUNDS)
    await dispatcher.close()
    what = "call to an app whose breaker is open, time added"
    return [bound(what, TARGET_MS, ours=(most - least) * 1_000, unit="ms")]


async def _open(breakers: Breakers) -> None:
    for _ in range(breakers.policy.failures):
        permit = await breakers.admit(Key(*_KEY))
        assert permit is not None
        permit.report(Verdict.FAILURE, "APP_FAILED")


_KEY = (APP.app_id, APP.version, HANDLE_ACTION.capability)
