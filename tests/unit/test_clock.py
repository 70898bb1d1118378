"""The steady clock: it follows the wall clock, goes on through its jumps, and says that it did."""

from datetime import timedelta

import pytest

from mymozhem.clock import HeldClock, SteadyClock

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, timedelta(seconds=3), timedelta(seconds=-3)])
def test_spans_are_right_through_a_jump_and_the_time_of_day_after_it(jump):
    machine = HeldClock()
    clock = SteadyClock(machine)
    began = clock.now()
    machine.advance(2)
    machine.set(machine.now() + jump)
    machine.advance(3)
    assert clock.now() - began == timedelta(seconds=5)
    assert clock.jump == jump
    clock.follow()
    assert clock.jump is None
    assert clock.now() == machine.now()


def test_a_drift_is_followed():
    machine = HeldClock()
    steady = SteadyClock(machine)
    for _ in range(10):
        machine.advance(60)
        machine.set(machine.now() + timedelta(milliseconds=200))
        assert steady.now() == machine.now()
        assert steady.jump is None


def test_a_jump_that_is_undone_was_none():
    machine = HeldClock()
    steady = SteadyClock(machine)
    began = machine.now()
    machine.set(began + HOUR)
    assert steady.now() == began
    machine.set(began)
    assert steady.now() == began
    assert steady.jump is None
