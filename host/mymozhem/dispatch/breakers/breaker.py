"""One breaker: when an app is left alone, and how it gets its next chance. Pure, without waiting.

::

    closed ── 5 failures in a row ──▶ open ── 60 s ──▶ half open ── 3 successes in a row ──▶ closed
                                       ▲                    │
                                       └──── a failure ─────┘

Half open, calls go through as trials, one at a time: the next one starts when the last one was
reported. A trial that says nothing about the app (its caller went away) gives its turn back, one
that is never reported loses it when its lease ends.

A report counts only with the ticket that is current. Every change of state and every trial make a
new one, so what was admitted before an opening neither closes the breaker nor prolongs it, and
what was admitted before a closing does not open it again.

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
    """How calls go."""

    CLOSED = "closed"  #: all go through
    OPEN = "open"  #: none goes through until its time is over
    HALF_OPEN = "half_open"  #: one goes through at a time, to try the app


class Verdict(StrEnum):
    """What a call says about the health of an app."""

    SUCCESS = "success"  #: it answered, be it with a refusal
    FAILURE = "failure"  #: it did not, or not in a usable way
    NEUTRAL = "neutral"  #: nothing: the caller went away, or had asked wrongly


@dataclass(frozen=True)
class BreakerPolicy:
    """The numbers of a breaker; spans in seconds.

    `failures` in a row open it for `open_s`, `successes` in a row of trials close it. A trial that
    is not reported within `lease_s` is taken for lost: give it more than the longest call takes.
    """

    failures: int = 5
    open_s: float = 60.0
    successes: int = 3
    lease_s: float = 60.0


@dataclass(frozen=True)
class Opening:
    """What processes know of each other's breaker that is not closed.

    `id` names one opening; a trial that fails makes a new one. `elsewhere_until` is when the lease
    of another process's trial ends, 0 when none has one.
    """

    id: str
    failures: int
    successes: int
    opened_at: float
    until: float
    code: str | None
    elsewhere_until: float = 0.0


class Change(NamedTuple):
    """A breaker has gone to another state; `code` is that of the last failure.

    `adopted` tells that another process, or an operator at one, has decided so.
    """

    key: Key
    state: BreakerStatus
    at: datetime
    code: str | None
    adopted: bool = False


class Listener(Protocol):
    """Hears of changes; it must return at once."""

    def on_change(self, change: Change, /) -> None:
        """Take note of a change."""
        ...


class Breaker:
    """The state of one key; nothing here waits, and nothing is shared by itself."""

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
        #: failures in a row, those that opened it included
        self.failures = 0
        #: successes of trials in a row
        self.successes = 0
        #: the code of the last failure
        self.code: str | None = None
        #: the opening's name, None while it is closed
        self.opening: str | None = None
        self.opened_at = 0.0
        self.until = 0.0
        #: until when a trial of another process is waited for
        self.elsewhere_until = 0.0
        self._policy = policy
        self._ticket = 0
        self._trial_until = 0.0

    @property
    def is_blank(self) -> bool:
        """Whether it is as a new one would be."""
        return self.state is BreakerStatus.CLOSED and not self.failures

    def is_trying(self, now: float) -> bool:
        """Tell whether a trial of this process is under way."""
        return now < self._trial_until

    def admit(self, now: float) -> int | None:
        """Return a ticket for one call, None when it must not reach the app."""
        if self.state is BreakerStatus.CLOSED:
            return self._ticket
        if now < self.until or now < self.elsewhere_until or now < self._trial_until:
            return None
        self.state = BreakerStatus.HALF_OPEN
        self._ticket += 1
        self._trial_until = now + self._policy.lease_s
        return self._ticket

    def report(self, ticket: int, verdict: Verdict, code: str | None, now: float) -> bool:
        """Count what became of a call; return whether it counted, False for an old ticket."""
        if ticket != self._ticket:
            return False
        if self.state is BreakerStatus.CLOSED:
            self._count(verdict, code, now)
        else:
            self._judge(verdict, code, now)
        return True

    def adopt(self, opening: Opening, now: float) -> None:
        """Take over what another process has seen; of an opening that is known, how it goes on."""
        if opening.id != self.opening:
            self._begin(opening.id, opened_at=opening.opened_at, until=opening.until)
            self.failures, self.code = opening.failures, opening.code
        self.successes = max(self.successes, opening.successes)
        self.elsewhere_until = opening.elsewhere_until
        if self.successes or now < self.elsewhere_until:
            self.state = BreakerStatus.HALF_OPEN

    def close(self) -> None:
        """Let all calls through, as if nothing had been."""
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
