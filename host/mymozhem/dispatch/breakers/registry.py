"""All breakers of a process: every call asks for a permit first, and reports its result after.

A breaker that is closed, or open and not yet due, answers from memory in about a microsecond. Only
the one call that would be the next trial asks the other processes, through `Sharing`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

import structlog

from mymozhem.clock import Clock

from .breaker import Breaker, BreakerPolicy, BreakerStatus, Change, Key, Listener, Opening, Verdict

logger = structlog.stdlib.get_logger(__name__)

_Settle = Callable[[Breaker, int, Verdict, str | None], None]


class Sharing(Protocol):
    """How processes share their openings; see `shared_state.SharedBreakerState`."""

    def attach(self, breakers: "Breakers", /) -> None:
        """Share these breakers."""
        ...

    def changed(self, key: Key, /) -> None:
        """Schedule a breaker to be shared again; does not block."""
        ...

    async def claim(self, key: Key, /) -> bool:
        """Return whether this process may start a trial; adopts others' state first."""
        ...

    async def forget(self, key: Key, /) -> None:
        """Close a breaker everywhere; raises `Unavailable` if the database is unreachable."""
        ...


class CallPermit:
    """The right to make one call; its holder must report the result of the call."""

    __slots__ = ("_breaker", "_settle", "_ticket")

    def __init__(self, settle: _Settle, breaker: Breaker, ticket: int) -> None:
        self._settle: _Settle | None = settle
        self._breaker = breaker
        self._ticket = ticket

    def report(self, verdict: Verdict, code: str | None = None) -> None:
        """Report the result of the call; `code` is the failure's. Only the first report counts."""
        settle, self._settle = self._settle, None
        if settle is not None:
            settle(self._breaker, self._ticket, verdict, code)


@dataclass(frozen=True)
class BreakerSnapshot:
    """A breaker as operators see it; `opened_at` and `until` are None while it is closed.

    An open breaker with `until` in the past admits the next call as a trial.
    """

    key: Key
    state: BreakerStatus
    failures: int
    successes: int
    opened_at: datetime | None
    until: datetime | None
    code: str | None


class Breakers:
    """The breakers of a process; used from one event loop.

    It keeps those that are not closed or have failures: at most one for each capability of a
    published version. Others are created on demand and dropped with their last permit.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        openings: Sharing | None = None,
        policy: BreakerPolicy | None = None,
    ) -> None:
        self._clock = clock
        self._openings = openings
        self._policy = policy or BreakerPolicy()
        self._kept: dict[Key, Breaker] = {}
        # A permit in use refers to its breaker, so that the next permit gets the same breaker.
        self._used: WeakValueDictionary[Key, Breaker] = WeakValueDictionary()
        self._listeners: list[Listener] = []
        if openings is not None:
            openings.attach(self)

    @property
    def policy(self) -> BreakerPolicy:
        """The thresholds of all breakers in this process."""
        return self._policy

    def listen(self, listener: Listener) -> None:
        """Notify a listener of every change from now on; its errors are logged."""
        self._listeners.append(listener)

    async def admit(self, key: Key) -> CallPermit | None:
        """Return the permit for a call, or None if the caller must fall back without a call.

        Waits for the database only if this call would be a trial, and then only briefly.
        """
        breaker = self.find(key)
        before = breaker.state
        ticket = breaker.admit(self._clock.monotonic())
        if ticket is None:
            return None
        if before is not BreakerStatus.CLOSED:
            self._settled(breaker, before)
            ticket = await self._confirmed(breaker, ticket)
        return None if ticket is None else CallPermit(self._settle, breaker, ticket)

    async def reset(self, key: Key) -> None:
        """Close a breaker in all processes, as requested by an operator. Idempotent.

        Raises `Unavailable`, and changes nothing, while the database is unreachable.
        """
        if self._openings is None:
            self.adopt(key, None)
        else:
            await self._openings.forget(key)

    def trip(self, key: Key, code: str) -> None:
        """Open a breaker in all processes, because of something that is no call."""
        breaker = self.find(key)
        before = breaker.state
        breaker.trip(code, self._clock.monotonic())
        self._settled(breaker, before)
        if self._openings is not None:
            self._openings.changed(key)

    def snapshot(self) -> list[BreakerSnapshot]:
        """Return every breaker that is not closed or has failures, by key."""
        return [self.view(key) for key in sorted(self._kept)]

    def view(self, key: Key) -> BreakerSnapshot:
        """Return a breaker as operators see it."""
        breaker = self.find(key)
        closed = breaker.state is BreakerStatus.CLOSED
        return BreakerSnapshot(
            key=key,
            state=breaker.state,
            failures=breaker.failures,
            successes=breaker.successes,
            opened_at=None if closed else self._wall(breaker.opened_at),
            until=None if closed else self._wall(breaker.until),
            code=breaker.code,
        )

    def find(self, key: Key) -> Breaker:
        """Return the breaker of a key; a new one if there is none."""
        breaker = self._kept.get(key) or self._used.get(key)
        if breaker is None:
            breaker = self._used[key] = Breaker(key, self._policy)
        return breaker

    def adopt(self, key: Key, opening: Opening | None) -> None:
        """Adopt the state that other processes share for a key; None closes the breaker."""
        breaker = self.find(key)
        before = breaker.state
        if opening is None:
            breaker.close()
        else:
            breaker.adopt(opening, self._clock.monotonic())
        self._settled(breaker, before, adopted=True)

    async def _confirmed(self, breaker: Breaker, ticket: int) -> int | None:
        """Return the ticket of a call that may be made now, after asking the other processes."""
        if self._openings is None:
            return ticket
        try:
            may_try = await self._openings.claim(breaker.key)
        except BaseException:  # the caller was cancelled: another call may be the trial
            self._settle(breaker, ticket, Verdict.NEUTRAL, None)
            raise
        if may_try:
            return ticket
        now = self._clock.monotonic()
        breaker.report(ticket, Verdict.NEUTRAL, None, now)
        return breaker.admit(now) if breaker.state is BreakerStatus.CLOSED else None

    def _settle(self, breaker: Breaker, ticket: int, verdict: Verdict, code: str | None) -> None:
        before = breaker.state
        if not breaker.report(ticket, verdict, code, self._clock.monotonic()):
            return
        self._settled(breaker, before)
        known_elsewhere = (
            before is not BreakerStatus.CLOSED or breaker.state is not BreakerStatus.CLOSED
        )
        if self._openings is not None and known_elsewhere:
            self._openings.changed(breaker.key)

    def _settled(self, breaker: Breaker, before: BreakerStatus, *, adopted: bool = False) -> None:
        if breaker.is_blank:
            self._kept.pop(breaker.key, None)
        else:
            self._kept[breaker.key] = breaker
        if breaker.state is not before:
            self._tell(breaker, adopted=adopted)

    def _tell(self, breaker: Breaker, *, adopted: bool) -> None:
        at = self._clock.now()
        change = Change(breaker.key, breaker.state, at, breaker.code, adopted)
        logger.warning(
            "breaker changed",
            app=breaker.key.app_id,
            version=breaker.key.version,
            capability=breaker.key.capability,
            state=breaker.state.value,
            code=breaker.code,
            adopted=adopted,
        )
        for listener in self._listeners:
            try:
                listener.on_change(change)
            except Exception:  # a listener's error must not fail the call
                logger.exception("a listener to breakers failed")

    def _wall(self, moment: float) -> datetime:
        return self._clock.now() + timedelta(seconds=moment - self._clock.monotonic())
