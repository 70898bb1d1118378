from dataclasses import dataclass

import pytest

from mymozhem.clock import HeldClock
from mymozhem.contract import HOOKS, Strategy
from mymozhem.dispatch.policy import DECIDES, Budget, deadline_ms


@dataclass(frozen=True)
class Asks:
    timeout_ms: int
    on_failure: Strategy = Strategy.FAIL
    fallback: None = None


@pytest.mark.parametrize(
    ("manifest", "cap", "left", "deadline"),
    [
        (2_000, 30_000, 5_000, 2_000),
        (20_000, 4_000, 5_000, 4_000),
        (20_000, 30_000, 5_000, 5_000),
        (2_000, 30_000, 0, 0),
    ],
)
def test_a_deadline_is_the_least_of_manifest_cap_and_budget(manifest, cap, left, deadline):
    budget = Budget(HeldClock(), left)
    assert deadline_ms(Asks(manifest), cap_ms=cap, budget=budget) == deadline


def test_a_budget_runs_out_with_the_clock_and_never_below_nothing():
    clock = HeldClock()
    budget = Budget(clock, 5_000)
    clock.advance(1.5)
    assert budget.left_ms() == 3_500
    clock.advance(10)
    assert budget.left_ms() == 0


def test_a_child_budget_has_no_more_than_its_cap_and_its_parent():
    clock = HeldClock()
    budget = Budget(clock, 5_000)
    child = budget.child(2_000)
    assert child.left_ms() == 2_000
    clock.advance(4)
    assert budget.child(2_000).left_ms() == 1_000
    assert child.left_ms() == 0


def test_every_strategy_says_who_decides():
    assert set(DECIDES) == set(Strategy)
    assert {strategy for hook in HOOKS for strategy in hook.allowed} <= set(DECIDES)
