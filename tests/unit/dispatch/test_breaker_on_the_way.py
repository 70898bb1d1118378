"""The breaker on the way of a call: who is not asked, what counts, what is told."""

import asyncio

import pytest

from mymozhem.clock import HeldClock
from mymozhem.config import Settings
from mymozhem.contract import DecidedBy, Refuse, Strategy, hookimpl
from mymozhem.contract.signing import SharedKey
from mymozhem.dispatch import Budget, Dispatcher, FailureKind
from mymozhem.dispatch.breakers.breaker import BreakerPolicy
from mymozhem.dispatch.breakers.registry import Breakers
from mymozhem.dispatch.outcome import CallFailed
from mymozhem.dispatch.transports.base import AppTarget, HookCall, Reply
from mymozhem.registry.endpoint import Endpoint
from tests.support.timing import LoadTolerantClock, until
from tests.unit.dispatch.conftest import DispatchHost, FakeApps, Heard


class Moody:
    """Counts its calls and answers as it is told."""

    def __init__(self):
        self.calls = 0
        self.mood = "fine"
        self.entered = asyncio.Event()
        self.free = asyncio.Event()

    @hookimpl
    async def handle_action(self):
        self.calls += 1
        self.entered.set()
        if self.mood == "broken":
            raise RuntimeError
        if self.mood == "busy":
            await asyncio.sleep(3600)
        if self.mood == "slow":
            await self.free.wait()
        if self.mood == "no":
            raise Refuse("NO", "Not now.")
        return []


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def moody():
    return Moody()


@pytest.fixture
async def host(clock, moody):
    apps, heard = FakeApps(), Heard()
    breakers = Breakers(clock)
    settings = Settings(_env_file=None)
    dispatcher = Dispatcher(apps, clock, settings, breakers=breakers, observers=heard.observers)
    host = DispatchHost(apps, dispatcher, heard)
    host.add(moody)
    yield host
    await dispatcher.close()


async def times(count, ask):
    for _ in range(count):
        await ask()


async def test_the_sixth_call_after_five_failures_does_not_reach_the_app(host, moody):
    moody.mood = "broken"
    await times(5, host.ask)
    moody.mood = "fine"
    outcome = await host.ask()
    assert moody.calls == 5
    assert outcome.failure.code == "APP_PAUSED"
    assert outcome.decided_by is DecidedBy.NOBODY
    assert not host.heard.calls[-1].reached


async def test_one_of_a_hundred_concurrent_calls_tries_the_app_after_a_minute(host, moody, clock):
    moody.mood = "broken"
    await times(5, host.ask)
    clock.advance(61)
    moody.mood = "slow"
    asking = [asyncio.create_task(host.ask()) for _ in range(100)]
    await until(lambda: sum(each.done() for each in asking) == 99)
    moody.free.set()
    outcomes = await asyncio.gather(*asking)
    assert moody.calls == 6
    assert sum(outcome.failure is None for outcome in outcomes) == 1


async def test_an_app_that_is_well_again_is_asked_by_all_after_three_answers(host, moody, clock):
    moody.mood = "broken"
    await times(5, host.ask)
    clock.advance(61)
    moody.mood = "fine"
    await times(3, host.ask)
    outcomes = await asyncio.gather(*(host.ask() for _ in range(10)))
    assert [outcome.failure for outcome in outcomes] == [None] * 10


async def test_refusals_are_answers(host, moody):
    moody.mood = "no"
    await times(10, host.ask)
    assert moody.calls == 10


async def test_a_caller_that_leaves_says_nothing_about_the_app(host, moody):
    moody.mood = "busy"
    for _ in range(10):
        moody.entered.clear()
        asking = asyncio.create_task(host.ask())
        await moody.entered.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    moody.mood = "fine"
    assert (await host.ask()).failure is None


async def test_a_timeout_counts_unless_the_app_was_left_no_time(host, moody, clock):
    host.add(moody, timeout_ms=40)
    moody.mood = "busy"
    await times(6, lambda: host.ask(budget=Budget(clock, 5)))
    assert moody.calls == 6
    await times(6, host.ask)
    assert moody.calls == 11


async def test_each_capability_has_a_breaker_of_its_own_and_so_has_each_app(host, moody):
    moody.mood = "broken"
    await times(5, host.ask)
    other = Moody()
    host.add(other, "other")
    assert (await host.ask("other")).failure is None


async def test_the_literal_of_the_manifest_answers_while_the_breaker_is_open(host, moody):
    host.add(moody, on_failure=Strategy.FALLBACK, fallback={"effects": []})
    moody.mood = "broken"
    await times(6, host.ask)
    outcome = await host.ask()
    assert (outcome.decided_by, outcome.result.effects) == (DecidedBy.FALLBACK, ())
    assert moody.calls == 5


async def test_a_stopped_app_is_not_asked_and_nothing_counts_against_it(host, moody):
    host.apps.stopped.add("counter")
    outcomes = [await host.ask() for _ in range(6)]
    assert {outcome.failure.code for outcome in outcomes} == {"APP_STOPPED"}
    host.apps.stopped.clear()
    assert (await host.ask()).failure is None
    assert moody.calls == 1


async def test_every_call_that_is_over_is_told(host, moody):
    await host.ask()
    moody.mood = "no"
    await host.ask()
    moody.mood = "broken"
    await host.ask()
    told = host.heard.calls
    assert [call.result for call in told] == ["success", "refusal", "failure"]
    assert [call.failure_code for call in told] == [None, None, "APP_FAILED"]
    assert {(call.app_id, call.version, call.capability, call.hook) for call in told} == {
        ("counter", "1.0.0", "actions", "handle_action")
    }
    assert {call.room_id for call in told} == {"room_1"}


# ------------------------------------------------------------------------------------- remote apps


class Wire:
    """A transport that answers as it is told."""

    def __init__(self, *answers: Reply | CallFailed) -> None:
        self.answers = list(answers)
        self.calls: list[HookCall] = []
        self.go = asyncio.Event()
        self.go.set()

    async def send(self, call: HookCall) -> Reply:
        self.calls.append(call)
        await self.go.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, CallFailed):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def far(clock):
    apps, heard, wire = FakeApps(), Heard(), Wire()
    dispatcher = Dispatcher(
        apps,
        clock,
        Settings(_env_file=None),
        remote=wire,
        breakers=Breakers(clock),
        observers=heard.observers,
    )
    host = DispatchHost(apps, dispatcher, heard)
    host.add(None)
    key = SharedKey(bytes(32))
    apps.endpoints["counter"] = Endpoint("https://app.example", (key,), key)
    host.wire = wire
    yield host
    await dispatcher.close()


async def test_an_app_with_an_endpoint_is_asked_over_the_wire(far):
    far.wire.answers = [Reply(b'{"effects": []}')]
    outcome = await far.ask(call_id="call_7", attempt=2, max_attempts=3)
    assert outcome.decided_by is DecidedBy.APP
    (call,) = far.wire.calls
    assert (call.context.call_id, call.attempt, call.max_attempts) == ("call_7", 2, 3)


async def test_an_app_that_is_gone_is_told_of(far):
    far.wire.answers = [CallFailed(FailureKind.GONE, "No more.")]
    assert (await far.ask()).failure.code == "APP_GONE"
    assert far.heard.gone == [AppTarget("counter", "1.0.0")]


async def test_what_the_app_does_not_take_says_nothing_about_its_health(far):
    far.wire.answers = [CallFailed(FailureKind.REFUSED_CALL, "400")] * 6 + [Reply(b"null")]
    await times(6, far.ask)
    assert (await far.ask()).failure is None


async def test_an_answer_after_the_deadline_is_still_heard(far):
    far.add(None, timeout_ms=20)
    far.wire.answers = [Reply(b'{"effects": []}')]
    far.wire.go.clear()
    outcome = await far.ask()
    assert outcome.failure.code == "APP_TIMEOUT"
    far.wire.go.set()
    await until(lambda: far.heard.answers)
    (late,) = far.heard.answers
    assert (late.call_id, late.data) == (outcome.call_id, b'{"effects": []}')


async def test_a_late_answer_beyond_every_limit_is_told_without_what_it_says(far):
    far.add(None, timeout_ms=20)
    far.wire.answers = [Reply(b'{"effects": "none"}')]
    far.wire.go.clear()
    await far.ask()
    far.wire.go.set()
    await until(lambda: far.heard.answers)
    assert far.heard.answers[0].data is None


class Far:
    """Shares breakers with processes that take their time to say who may try."""

    def attach(self, breakers):
        pass

    def changed(self, key):
        pass

    async def claim(self, key):
        await asyncio.sleep(0.1)
        return True

    async def forget(self, key):
        pass


@pytest.mark.parametrize(("budget_ms", "asked"), [(50, 0), (20_000, 1)])
async def test_waiting_for_the_turn_to_try_is_time_of_the_caller(moody, budget_ms, asked):
    clock, apps, heard = LoadTolerantClock(), FakeApps(), Heard()
    breakers = Breakers(clock, openings=Far(), policy=BreakerPolicy(failures=1, open_s=0))
    settings = Settings(_env_file=None)
    dispatcher = Dispatcher(apps, clock, settings, breakers=breakers, observers=heard.observers)
    host = DispatchHost(apps, dispatcher, heard)
    host.add(moody)
    moody.mood = "broken"
    await host.ask()
    moody.mood = "fine"
    outcome = await host.ask(budget=Budget(clock, budget_ms))
    assert moody.calls == 1 + asked
    kind = outcome.failure.kind if outcome.failure else None
    assert kind is (None if asked else FailureKind.BUDGET_SPENT)
    await dispatcher.close()
