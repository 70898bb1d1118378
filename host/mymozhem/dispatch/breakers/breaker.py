"""The state machine of one circuit breaker. It is pure and never waits.

::

    closed ── 5 failures in a row ──▶ open ── 60 s ──▶ half open ── 3 successes in a row ──▶ closed
                                       ▲                    │
                                       └──── a failure ─────┘

A half-open breaker admits one call at a time, as a trial. The next trial starts after the report of
the last one. A trial whose report says nothing about the app (the caller was cancelled) does not
count. A trial without a report ends with its lease.

A report counts only if its ticket is current. Every change of state and every trial make a new
ticket. So a call from before an opening neither closes the breaker nor prolongs the opening, and a
call from before a closing does not open the breaker again.

Times are seconds of the process's monotonic clock.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from mymozhem.db.base import new_id


class Key(NamedTuple):
    """What a breaker guards: a capability of one version of an app."""

    app_id: str
    version: str
    capability: str


class BreakerStatus(StrEnum):
    """Whether a breaker admits calls."""

    CLOSED = "closed"  #: all go through
    OPEN = "open"  #: no calls are admitted until `open_s` is over
    HALF_OPEN = "half_open"  #: one call at a time is admitted, to try the app


class Verdict(StrEnum):
    """What the outcome of a call says about the health of an app."""

    SUCCESS = "success"  #: the app replied, if only with a refusal
    FAILURE = "failure"  #: the app did not reply, or not in a usable way
    NEUTRAL = "neutral"  #: nothing: the caller was cancelled, or made an invalid call


@dataclass(frozen=True)
class BreakerPolicy:
    """The thresholds of a breaker; durations in seconds.

    `failures` in a row open it for `open_s`; `successes` of trials in a row close it. A trial
    without a report within `lease_s` counts as lost: choose more than the longest call takes.
    """

    failures: int = 5
    open_s: float = 60.0
    successes: int = 3
    lease_s: float = 60.0


@dataclass(frozen=True)
class Opening:
    """What processes share about a breaker that is not closed.

    `id` identifies one opening; a failed trial starts a new one. `elsewhere_until` is when the
    lease of another process's trial ends; 0 if no other process has one.
    """

    id: str
    failures: int
    successes: int
    opened_at: float
    until: float
    code: str | None
    elsewhere_until: float = 0.0


class Change(NamedTuple):
    """A change of a breaker's state; `code` is that of the last failure.

    `adopted` means that another process, or an operator in one, made the change.
    """

    key: Key
    state: BreakerStatus
    at: datetime
    code: str | None
    adopted: bool = False


class Listener(Protocol):
    """Receives changes of breakers; must not block."""

    def on_change(self, change: Change, /) -> None:
        """Handle a change."""
        ...


class Breaker:
    """The breaker of one key; never waits, and shares nothing with other processes."""

    __slots__ = (
        "__weakref__",
        "_policy",
        "_ticket",
        "_trial_until",
        "code",
        "elsewhere_until",
        "failures",
        "key",
        "opened_at",
        "opening",
        "state",
        "successes",
        "until",
    )

    def __init__(self, key: Key, policy: BreakerPolicy) -> None:
        self.key = key
        self.state = BreakerStatus.CLOSED
        #: failures in a row, including those that opened it
        self.failures = 0
        #: successes of trials in a row
        self.successes = 0
        #: the code of the last failure
        self.code: str | None = None
        #: the id of the opening, None while closed
        self.opening: str | None = None
        self.opened_at = 0.0
        self.until = 0.0
        #: when the lease of another process's trial ends
        self.elsewhere_until = 0.0
        self._policy = policy
        self._ticket = 0
        self._trial_until = 0.0

    @property
    def is_blank(self) -> bool:
        """Return whether the breaker equals a new one."""
        return self.state is BreakerStatus.CLOSED and not self.failures

    def is_trying(self, now: float) -> bool:
        """Return whether a trial of this process is in progress."""
        return now < self._trial_until

    def admit(self, now: float) -> int | None:
        """Return a ticket for one call, or None if the call must not reach the app."""
        if self.state is BreakerStatus.CLOSED:
            return self._ticket
        if now < self.until or now < self.elsewhere_until or now < self._trial_until:
            return None
        self.state = BreakerStatus.HALF_OPEN
        self._ticket += 1
        self._trial_until = now + self._policy.lease_s
        return self._ticket

    def report(self, ticket: int, verdict: Verdict, code: str | None, now: float) -> bool:
        """Count the result of a call; return False, and ignore it, if its ticket is stale."""
        if ticket != self._ticket:
            return False
        if self.state is BreakerStatus.CLOSED:
            self._count(verdict, code, now)
        else:
            self._judge(verdict, code, now)
        return True

    def adopt(self, opening: Opening, now: float) -> None:
        """Adopt another process's state; of a known opening, only its progress."""
        if opening.id != self.opening:
            self._begin(opening.id, opened_at=opening.opened_at, until=opening.until)
            self.failures, self.code = opening.failures, opening.code
        self.successes = max(self.successes, opening.successes)
        self.elsewhere_until = opening.elsewhere_until
        if self.successes or now < self.elsewhere_until:
            self.state = BreakerStatus.HALF_OPEN

    def trip(self, code: str, now: float) -> None:
        """Open the breaker, whatever it has counted."""
        self._fail(code)
        self._open(now)

    def close(self) -> None:
        """Admit all calls, and forget all failures."""
        self.state = BreakerStatus.CLOSED
        self.failures = self.successes = 0
        self.opening = None
        self.until = self.elsewhere_until = self._trial_until = 0.0
        self._ticket += 1

    def _count(self, verdict: Verdict, code: str | None, now: float) -> None:
        if verdict is Verdict.SUCCESS:
            self.failures = 0
        elif verdict is Verdict.FAILURE:
            self._fail(code)
            if self.failures >= self._policy.failures:
                self._open(now)

    def _judge(self, verdict: Verdict, code: str | None, now: float) -> None:
        lapsed = now >= self._trial_until  # another process may be trying by now
        self._trial_until = 0.0
        self._ticket += 1
        if lapsed or verdict is Verdict.NEUTRAL:
            return
        if verdict is Verdict.FAILURE:
            self._fail(code)
            self._open(now)
            return
        self.successes += 1
        if self.successes >= self._policy.successes:
            self.close()

    def _fail(self, code: str | None) -> None:
        self.failures += 1
        self.code = code

    def _open(self, now: float) -> None:
        self._begin(new_id("open"), opened_at=now, until=now + self._policy.open_s)

    def _begin(self, opening: str, *, opened_at: float, until: float) -> None:
        self.state = BreakerStatus.OPEN
        self.opening, self.opened_at, self.until = opening, opened_at, until
        self.successes = 0
        self.elsewhere_until = self._trial_until = 0.0
        self._ticket += 1
