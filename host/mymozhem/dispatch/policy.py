"""The policy of a call: its deadline, and who decides if the app does not."""

from typing import Protocol

from pydantic import BaseModel, JsonValue

from mymozhem.clock import Clock
from mymozhem.contract import DecidedBy, Hook, Strategy

#: who decides under each strategy if the app does not
DECIDES: dict[Strategy, DecidedBy] = {
    Strategy.PLATFORM: DecidedBy.PLATFORM,
    Strategy.CACHED: DecidedBy.CACHE,
    Strategy.QUEUE: DecidedBy.QUEUE,
    Strategy.REVIEW: DecidedBy.REVIEW,
    Strategy.HOLD: DecidedBy.HOLD,
    Strategy.FAIL: DecidedBy.NOBODY,
    Strategy.FALLBACK: DecidedBy.FALLBACK,
}


class Policy(Protocol):
    """What a manifest declares for calls of one hook, with defaults applied."""

    @property
    def timeout_ms(self) -> int:
        """Return the deadline that the manifest declares."""
        ...

    @property
    def on_failure(self) -> Strategy:
        """Return the strategy to fall back on."""
        ...

    @property
    def fallback(self) -> JsonValue:
        """Return the literal result; it is used under `Strategy.FALLBACK` only."""
        ...


class Declared(Protocol):
    """What the dispatcher reads of a manifest."""

    @property
    def called(self) -> frozenset[str]:
        """Return the capabilities for which the app is called."""
        ...

    def policy(self, hook: Hook[BaseModel, BaseModel], /) -> Policy:
        """Return what the manifest declares for calls of a hook."""
        ...


class Budget:
    """The time that one action of one participant has, shared by all hooks that it calls."""

    def __init__(self, clock: Clock, total_ms: int) -> None:
        self._clock = clock
        self._ends = clock.monotonic() + total_ms / 1000

    def left_ms(self) -> int:
        """Return the milliseconds that are left, 0 if none."""
        return max(0, round((self._ends - self._clock.monotonic()) * 1000))

    def child(self, cap_ms: int) -> "Budget":
        """Return a budget of what is left, at most `cap_ms`; its time counts for this one too."""
        return Budget(self._clock, min(cap_ms, self.left_ms()))


def deadline_ms(policy: Policy, *, cap_ms: int, budget: Budget) -> int:
    """Return a call's deadline: the least of the manifest's, the operator's and what is left."""
    return min(policy.timeout_ms, cap_ms, budget.left_ms())
