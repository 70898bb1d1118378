"""An app that blocks the event loop is named, and nobody else is blamed for the time."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract import ActionRequest, DecidedBy, Reply, hookimpl
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.dispatch import AppTarget, Budget, Dispatcher, FailureKind
from mymozhem.dispatch.loop_blocks import LONGEST_STEP
from mymozhem.dispatch.observers import CallObservers
from mymozhem.observability.call_observer import AppReport
from tests.unit.dispatch.conftest import FakeApps, FakeManifest, FakePolicy, context

pytestmark = pytest.mark.real_time

#: longer than the deadline of the innocent app
BLOCK = 1.7
DEADLINE_MS = 1_500


class Blocking:
    def __init__(self):
        self.may_start = asyncio.Event()

    @hookimpl
    async def handle_action(self, request):
        await self.may_start.wait()
        time.sleep(BLOCK)  # noqa: ASYNC251 - it is what the test is about
        return [Reply(data="blocked")]


class Innocent:
    def __init__(self, blocking):
        self._blocking = blocking

    @hookimpl
    async def handle_action(self, request):
        self._blocking.may_start.set()
        await asyncio.sleep(0.1)  # it is over while the other one blocks
        await asyncio.sleep(0.1)
        return [Reply(data="fine")]


class Cancelled:
    def __init__(self):
        self.heard = []

    @hookimpl
    async def handle_action(self, request):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.heard.append("cancelled")
            raise


class Observer:
    def __init__(self):
        self.calls = []

    def observed(self, call):
        self.calls.append(call)


@pytest.fixture
def apps():
    return FakeApps()


@pytest.fixture
def observer():
    return Observer()


@pytest.fixture
async def ask(apps, observer, tmp_path):
    clock, reports = SystemClock(), []
    dispatcher = Dispatcher(
        apps,
        clock,
        Settings(data_dir=tmp_path, environment="test"),
        observers=CallObservers(observer=observer, reports=reports.append),
    )

    async def call(app_id, budget_ms=20_000):
        return await dispatcher.call(
            HANDLE_ACTION,
            app=AppTarget(app_id, "1.0.0"),
            context=context(),
            request=ActionRequest(action="go", payload={}),
            budget=Budget(clock, budget_ms),
        )

    call.reports = reports
    yield call
    await dispatcher.close()


def manifest(timeout_ms=20_000):
    return FakeManifest(only_policy=FakePolicy(timeout_ms=timeout_ms))


async def test_an_app_that_blocks_is_named_and_another_one_keeps_its_deadline(apps, ask, observer):
    blocking = Blocking()
    apps.add("blocking", blocking, manifest())
    apps.add("innocent", Innocent(blocking), manifest(DEADLINE_MS))
    with capture_logs() as logs:
        first, second = await asyncio.gather(ask("blocking"), ask("innocent"))
    assert (first.decided_by, second.decided_by) == (DecidedBy.APP, DecidedBy.APP)
    assert ask.reports == [AppReport("blocking", "1.0.0", "actions", "APP_BLOCKED_HOST")]
    [line] = [line for line in logs if "blocked the event loop" in line["event"]]
    assert (line["app"], line["hook"]) == ("blocking", "handle_action")
    assert line["blocked_ms"] >= BLOCK * 1000
    took = {call.app_id: call.duration_ms for call in observer.calls}
    assert took["blocking"] >= BLOCK * 1000
    assert took["innocent"] < DEADLINE_MS, "the time of the other app counts for this one"
    assert line["blocked_ms"] > LONGEST_STEP * 1000


async def test_a_timeout_in_too_little_time_is_not_the_apps(apps, ask):
    apps.add("slow", Cancelled(), manifest(2_000))
    late = await ask("slow", budget_ms=50)
    assert late.failure.kind is FailureKind.BUDGET_SPENT
    own = await ask("slow", budget_ms=600)
    assert own.failure.kind is FailureKind.TIMEOUT


async def test_a_measured_coroutine_hears_its_cancellation(apps, ask):
    plugin = Cancelled()
    apps.add("patient", plugin, manifest(50))
    outcome = await ask("patient")
    assert outcome.failure.kind is FailureKind.TIMEOUT
    await asyncio.sleep(0)
    assert plugin.heard == ["cancelled"]
    assert ask.reports == []
