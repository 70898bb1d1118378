"""The rules of one breaker, as tables, and against a model under any order of calls."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from mymozhem.dispatch.breakers.breaker import (
    Breaker,
    BreakerPolicy,
    BreakerStatus,
    Key,
    Opening,
    Verdict,
)

KEY = Key("counter", "1.0.0", "actions")
POLICY = BreakerPolicy()
WORDS = {"s": Verdict.SUCCESS, "f": Verdict.FAILURE, "n": Verdict.NEUTRAL}


def told(breaker, verdicts, now=0.0):
    """Make one call after the other; each comes through."""
    for word in verdicts:
        ticket = breaker.admit(now)
        assert ticket is not None
        assert breaker.report(ticket, WORDS[word], "APP_TIMEOUT", now)
    return breaker


def opened(now=0.0):
    return told(Breaker(KEY, POLICY), "fffff", now)


@pytest.mark.parametrize(
    ("verdicts", "state", "failures"),
    [
        ("", BreakerStatus.CLOSED, 0),
        ("ffff", BreakerStatus.CLOSED, 4),
        ("fffff", BreakerStatus.OPEN, 5),
        ("ffffsffff", BreakerStatus.CLOSED, 4),
        ("ffffnnf", BreakerStatus.OPEN, 5),
        ("nnnnnn", BreakerStatus.CLOSED, 0),
    ],
)
def test_failures_in_a_row_open_it(verdicts, state, failures):
    breaker = told(Breaker(KEY, POLICY), verdicts)
    assert (breaker.state, breaker.failures) == (state, failures)


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ("s", BreakerStatus.HALF_OPEN),
        ("ss", BreakerStatus.HALF_OPEN),
        ("snns", BreakerStatus.HALF_OPEN),
        ("sss", BreakerStatus.CLOSED),
        ("snsns", BreakerStatus.CLOSED),
        ("f", BreakerStatus.OPEN),
        ("ssf", BreakerStatus.OPEN),
    ],
)
def test_trials_decide_how_it_goes_on(verdicts, state):
    assert told(opened(), verdicts, now=60.0).state is state


@pytest.mark.parametrize("now", [0.0, 30.0, 59.999])
def test_an_open_one_lets_nothing_through(now):
    assert opened().admit(now) is None


def test_a_failed_trial_opens_it_for_as_long_again_under_another_name():
    breaker = opened()
    first = breaker.opening
    told(breaker, "sf", now=70.0)
    assert (breaker.until, breaker.failures, breaker.successes) == (130.0, 6, 0)
    assert breaker.opening != first
    assert breaker.admit(129.9) is None
    assert breaker.admit(130.0) is not None


def test_trials_go_one_at_a_time():
    breaker = opened()
    for now in (60.0, 61.0, 62.0):
        ticket = breaker.admit(now)
        assert [breaker.admit(now) for _ in range(100)] == [None] * 100
        breaker.report(ticket, Verdict.SUCCESS, None, now)
    assert breaker.state is BreakerStatus.CLOSED
    assert breaker.is_blank


def test_a_trial_that_is_never_reported_loses_its_turn_when_its_lease_ends():
    breaker = opened()
    lost = breaker.admit(60.0)
    assert breaker.admit(119.9) is None
    following = breaker.admit(120.0)
    assert following is not None
    assert not breaker.report(lost, Verdict.FAILURE, "LATE", 121.0)
    assert breaker.report(following, Verdict.SUCCESS, None, 121.0)
    assert breaker.successes == 1


def test_a_trial_reported_after_its_lease_decides_nothing_and_gives_the_turn_back():
    breaker = opened()
    ticket = breaker.admit(60.0)
    breaker.report(ticket, Verdict.SUCCESS, None, 120.0)
    assert (breaker.state, breaker.successes) == (BreakerStatus.HALF_OPEN, 0)
    assert breaker.admit(120.0) is not None


@pytest.mark.parametrize("verdict", Verdict)
def test_what_was_admitted_before_an_opening_does_not_touch_it(verdict):
    breaker = Breaker(KEY, POLICY)
    early = breaker.admit(0.0)
    told(breaker, "fffff")
    assert not breaker.report(early, verdict, "LATE", 1.0)
    assert (breaker.state, breaker.until, breaker.code) == (BreakerStatus.OPEN, 60.0, "APP_TIMEOUT")
    trial = breaker.admit(60.0)
    assert not breaker.report(early, verdict, "LATE", 60.0)
    assert breaker.admit(60.0) is None
    assert breaker.report(trial, Verdict.SUCCESS, None, 60.0)


def test_what_was_admitted_before_a_closing_does_not_open_it_again():
    breaker = Breaker(KEY, POLICY)
    early = [breaker.admit(0.0) for _ in range(9)]
    for ticket in early[:5]:
        breaker.report(ticket, Verdict.FAILURE, None, 0.0)
    told(breaker, "sss", now=60.0)
    assert [breaker.report(each, Verdict.FAILURE, None, 61.0) for each in early[5:]] == [False] * 4
    assert breaker.is_blank


def test_another_process_s_opening_is_taken_over_with_its_trial():
    breaker = Breaker(KEY, POLICY)
    mine = breaker.admit(0.0)
    seen = {"id": "open_1", "failures": 5, "opened_at": -1.0, "until": 59.0, "code": "X"}
    breaker.adopt(Opening(successes=0, **seen), 0.0)
    assert (breaker.state, breaker.admit(58.0)) == (BreakerStatus.OPEN, None)
    assert not breaker.report(mine, Verdict.SUCCESS, None, 1.0)
    breaker.adopt(Opening(successes=2, elsewhere_until=90.0, **seen), 60.0)
    assert (breaker.state, breaker.admit(89.0)) == (BreakerStatus.HALF_OPEN, None)
    ticket = breaker.admit(90.0)
    breaker.report(ticket, Verdict.SUCCESS, None, 90.0)
    assert breaker.state is BreakerStatus.CLOSED


class Model(RuleBasedStateMachine):
    """Any calls, in any order, against the rules written down a second time and plainly."""

    tickets = Bundle("tickets")

    def __init__(self):
        super().__init__()
        self.breaker = Breaker(KEY, POLICY)
        self.now = 0.0
        self.age = 0  # how often the state has changed
        self.failures = 0
        self.successes = 0
        self.opened = None  # when it was opened, None while closed
        self.trial = None  # (number, since)
        self.trials = 0

    @rule(seconds=st.sampled_from([0.5, 20.0, 60.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(target=tickets)
    def call(self):
        ticket = self.breaker.admit(self.now)
        if self.opened is None:
            assert ticket is not None
            return ticket, self.age, None
        free = self.trial is None or self.now >= self.trial[1] + POLICY.lease_s
        due = self.now >= self.opened + POLICY.open_s
        assert (ticket is not None) == (free and due)
        if ticket is None:
            return None
        self.trials += 1
        self.trial = (self.trials, self.now)
        return ticket, self.age, self.trials

    @rule(taken=consumes(tickets), verdict=st.sampled_from(Verdict))
    def report(self, taken, verdict):
        if taken is None:
            return
        ticket, age, trial = taken
        self.breaker.report(ticket, verdict, verdict.value, self.now)
        if age != self.age:
            return
        if trial is not None:
            self.tried(trial, verdict)
        elif verdict is Verdict.SUCCESS:
            self.failures = 0
        elif verdict is Verdict.FAILURE:
            self.failures += 1
            if self.failures == POLICY.failures:
                self.turn(opened=self.now)

    def tried(self, trial, verdict):
        if self.trial is None or self.trial[0] != trial:
            return
        in_time = self.now < self.trial[1] + POLICY.lease_s
        self.trial = None
        if in_time and verdict is Verdict.FAILURE:
            self.failures += 1
            self.turn(opened=self.now)
        elif in_time and verdict is Verdict.SUCCESS:
            self.successes += 1
            if self.successes == POLICY.successes:
                self.failures = 0
                self.turn(opened=None)

    def turn(self, opened):
        self.age += 1
        self.opened, self.successes, self.trial = opened, 0, None

    @rule()
    def close(self):
        self.breaker.close()
        self.failures = 0
        self.turn(opened=None)

    @invariant()
    def they_agree(self):
        assert (self.breaker.state is BreakerStatus.CLOSED) == (self.opened is None)
        assert self.breaker.failures == self.failures
        assert self.breaker.successes == self.successes
        if self.opened is not None:
            assert self.breaker.until == self.opened + POLICY.open_s


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
