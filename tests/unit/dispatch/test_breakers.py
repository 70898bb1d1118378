"""The breakers of a process: exactly one trial, permits that count once, and nothing kept."""

import asyncio
import weakref
from datetime import timedelta

import pytest

from mymozhem.clock import HeldClock
from mymozhem.dispatch.breakers.breaker import BreakerPolicy, BreakerStatus, Key, Verdict
from mymozhem.dispatch.breakers.registry import Breakers, Sharing
from mymozhem.errors import Unavailable

KEY = Key("counter", "1.0.0", "actions")
OTHER = Key("counter", "1.0.0", "windows")


class Heard:
    def __init__(self):
        self.changes = []

    def on_change(self, change):
        self.changes.append((change.state, change.code, change.adopted))


class Elsewhere(Sharing):
    """The others, as far as a test says what they answer."""

    def __init__(self):
        self.asked, self.noted, self.forgotten = [], [], []
        self.answer = asyncio.Event()
        self.may_try = True

    def attach(self, breakers):
        self.breakers = breakers

    def changed(self, key):
        self.noted.append(key)

    async def claim(self, key):
        self.asked.append(key)
        await self.answer.wait()
        return self.may_try

    async def forget(self, key):
        self.forgotten.append(key)
        self.breakers.adopt(key, None)


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def breakers(clock):
    return Breakers(clock)


@pytest.fixture
def elsewhere():
    return Elsewhere()


async def tell(breakers, words, key=KEY):
    for verdict in words:
        permit = await breakers.admit(key)
        permit.report(verdict, "APP_TIMEOUT")


async def fail(breakers, times=5, key=KEY):
    await tell(breakers, [Verdict.FAILURE] * times, key)


def at_once(coroutine):
    """Run a coroutine that must not wait for anything."""
    with pytest.raises(StopIteration) as returned:
        coroutine.send(None)
    return returned.value.value


async def test_the_sixth_call_after_five_failures_is_not_admitted(breakers):
    await fail(breakers)
    assert await breakers.admit(KEY) is None
    assert await breakers.admit(OTHER) is not None


async def test_after_the_recovery_time_exactly_one_of_a_hundred_calls_is_admitted(breakers, clock):
    await fail(breakers)
    clock.advance(59.9)
    assert await breakers.admit(KEY) is None
    clock.advance(0.1)
    for _ in range(3):  # the trials, one at a time
        permits = await asyncio.gather(*(breakers.admit(KEY) for _ in range(100)))
        [permit] = [each for each in permits if each is not None]
        permit.report(Verdict.SUCCESS)
    assert None not in await asyncio.gather(*(breakers.admit(KEY) for _ in range(100)))


async def test_only_the_candidate_for_a_trial_waits(clock, elsewhere):
    breakers = Breakers(clock, openings=elsewhere)
    at_once(breakers.admit(KEY)).report(Verdict.SUCCESS)
    await fail(breakers)
    assert at_once(breakers.admit(KEY)) is None
    clock.advance(60)
    candidate = asyncio.create_task(breakers.admit(KEY))
    await asyncio.sleep(0)
    assert [at_once(breakers.admit(KEY)) for _ in range(99)] == [None] * 99
    elsewhere.answer.set()
    assert await candidate is not None
    assert elsewhere.asked == [KEY]


async def test_a_candidate_whose_caller_goes_away_gives_the_turn_back(clock, elsewhere):
    breakers = Breakers(clock, openings=elsewhere)
    await fail(breakers)
    clock.advance(60)
    candidate = asyncio.create_task(breakers.admit(KEY))
    await asyncio.sleep(0)
    candidate.cancel()
    with pytest.raises(asyncio.CancelledError):
        await candidate
    elsewhere.answer.set()
    assert await breakers.admit(KEY) is not None


async def test_where_another_process_tries_the_app_nobody_here_does(clock, elsewhere):
    breakers = Breakers(clock, openings=elsewhere)
    await fail(breakers)
    clock.advance(60)
    elsewhere.may_try = False
    elsewhere.answer.set()
    assert await breakers.admit(KEY) is None


async def test_a_trial_that_says_nothing_gives_the_turn_back(breakers, clock):
    await fail(breakers)
    clock.advance(60)
    (await breakers.admit(KEY)).report(Verdict.NEUTRAL)
    assert breakers.view(KEY).state is BreakerStatus.HALF_OPEN
    assert await breakers.admit(KEY) is not None


async def test_a_permit_counts_once(breakers):
    permit = await breakers.admit(KEY)
    for _ in range(9):
        permit.report(Verdict.FAILURE, "APP_TIMEOUT")
    assert breakers.view(KEY).failures == 1
    permit.report(Verdict.SUCCESS)
    assert breakers.view(KEY).failures == 1


async def test_late_successes_do_not_close_it(breakers):
    early = [await breakers.admit(KEY) for _ in range(10)]
    await fail(breakers)
    for permit in early:
        permit.report(Verdict.SUCCESS)
    assert await breakers.admit(KEY) is None


async def test_calls_that_run_beside_each_other_share_one_count(breakers):
    permits = [await breakers.admit(KEY) for _ in range(7)]
    for permit in permits:
        permit.report(Verdict.FAILURE, "APP_TIMEOUT")
    assert breakers.view(KEY).failures == 5
    assert await breakers.admit(KEY) is None


async def test_nothing_is_kept_of_apps_that_are_well(breakers, clock):
    for number in range(1000):
        await tell(breakers, [Verdict.SUCCESS], Key(f"app{number}", "1.0.0", "actions"))
    await tell(breakers, [Verdict.FAILURE, Verdict.SUCCESS])
    await fail(breakers, key=OTHER)
    clock.advance(60)
    await tell(breakers, [Verdict.SUCCESS] * 3, OTHER)
    assert breakers.snapshot() == []
    made = [weakref.ref(breakers.find(key)) for key in (KEY, OTHER)]
    assert [each() for each in made] == [None, None]


async def test_operators_see_what_is_wrong_and_since_when(breakers, clock):
    began = clock.now()
    await fail(breakers, 2, OTHER)
    await fail(breakers)
    clock.advance(10)
    first, second = breakers.snapshot()
    assert (first.key, first.state, first.failures) == (KEY, BreakerStatus.OPEN, 5)
    assert (first.opened_at, first.until) == (began, began + timedelta(seconds=60))
    assert first.code == "APP_TIMEOUT"
    assert (second.key, second.state, second.until) == (OTHER, BreakerStatus.CLOSED, None)


async def test_an_operator_closes_it(clock, elsewhere):
    breakers = Breakers(clock)
    await fail(breakers)
    await breakers.reset(KEY)
    await breakers.reset(KEY)
    assert await breakers.admit(KEY) is not None
    shared = Breakers(clock, openings=elsewhere)
    await fail(shared)
    await shared.reset(KEY)
    assert elsewhere.forgotten == [KEY]
    assert await shared.admit(KEY) is not None


async def test_a_reset_that_cannot_be_shared_changes_nothing(clock, elsewhere):
    async def away(key):
        raise Unavailable

    breakers = Breakers(clock, openings=elsewhere)
    await fail(breakers)
    elsewhere.forget = away
    with pytest.raises(Unavailable):
        await breakers.reset(KEY)
    assert await breakers.admit(KEY) is None


async def test_listeners_hear_every_change_and_hurt_nobody(breakers, clock):
    class Broken:
        def on_change(self, change):
            raise ArithmeticError

    heard = Heard()
    breakers.listen(Broken())
    breakers.listen(heard)
    await fail(breakers)
    clock.advance(60)
    await tell(breakers, [Verdict.SUCCESS] * 3)
    assert heard.changes == [
        (BreakerStatus.OPEN, "APP_TIMEOUT", False),
        (BreakerStatus.HALF_OPEN, "APP_TIMEOUT", False),
        (BreakerStatus.CLOSED, "APP_TIMEOUT", False),
    ]


async def test_the_numbers_are_the_operator_s(clock):
    numbers = BreakerPolicy(failures=1, open_s=1.0, successes=1)
    breakers = Breakers(clock, policy=numbers)
    await fail(breakers, 1)
    assert await breakers.admit(KEY) is None
    clock.advance(1)
    await tell(breakers, [Verdict.SUCCESS])
    assert breakers.snapshot() == []


async def test_what_changes_is_noted_for_the_others_and_nothing_else(clock, elsewhere):
    breakers = Breakers(clock, openings=elsewhere)
    elsewhere.answer.set()
    await tell(breakers, [Verdict.SUCCESS, *[Verdict.FAILURE] * 4])
    assert elsewhere.noted == []
    await fail(breakers, 1)
    assert elsewhere.noted == [KEY]
    clock.advance(60)
    await tell(breakers, [Verdict.SUCCESS, Verdict.NEUTRAL])
    assert elsewhere.noted == [KEY] * 3
