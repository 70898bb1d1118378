"""All breakers of a process: asked before every call, told after it.

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
    """How processes know of each other's openings; see `openings.SharedBreakerState`."""

    def attach(self, breakers: "Breakers", /) -> None:
        """Take note of whose breakers are shared."""
        ...

    def changed(self, key: Key, /) -> None:
        """Take note that a breaker is to be shared anew; returns at once."""
        ...

    async def claim(self, key: Key, /) -> bool:
        """Return whether this process may try the app now; what others know is adopted before."""
        ...

    async def forget(self, key: Key, /) -> None:
        """Close a breaker everywhere; raises `Unavailable` while the database is away."""
        ...


class CallPermit:
    """The right to make one call; it is to be reported, whatever becomes of the call."""

    __slots__ = ("_breaker", "_settle", "_ticket")

    def __init__(self, settle: _Settle, breaker: Breaker, ticket: int) -> None:
        self._settle: _Settle | None = settle
        self._breaker = breaker
        self._ticket = ticket

    def report(self, verdict: Verdict, code: str | None = None) -> None:
        """Say what became of the call; `code` is the failure's. Only the first report counts."""
        settle, self._settle = self._settle, None
        if settle is not None:
            settle(self._breaker, self._ticket, verdict, code)


@dataclass(frozen=True)
class BreakerSnapshot:
    """A breaker as operators see it; `opened_at` and `until` are None while it is closed.

    One that is open with `until` in the past lets the next call through as a trial.
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

    Kept are those that are not closed or have failures, one at most for each capability of a
    published version. All others are made when they are asked for and go with their last permit.
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
        # A permit that is out holds its breaker, so that the next one asked for is the same.
        self._used: WeakValueDictionary[Key, Breaker] = WeakValueDictionary()
        self._listeners: list[Listener] = []
        if openings is not None:
            openings.attach(self)

    @property
    def policy(self) -> BreakerPolicy:
        """The numbers that all breakers here go by."""
        return self._policy

    def listen(self, listener: Listener) -> None:
        """Tell a listener of every change from now on; its errors are logged."""
        self._listeners.append(listener)

    async def admit(self, key: Key) -> CallPermit | None:
        """Return the right to make a call, None when the fallback is to answer at once.

        Waits for the database only as the one candidate for a trial, and then only for a moment.
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
        """Close a breaker here and everywhere, as an operator's word; twice is safe.

        Raises `Unavailable`, and changes nothing, while the database is away.
        """
        if self._openings is None:
            self.adopt(key, None)
        else:
            await self._openings.forget(key)

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
        """Return the breaker of a key, a new one where none is needed yet."""
        breaker = self._kept.get(key) or self._used.get(key)
        if breaker is None:
            breaker = self._used[key] = Breaker(key, self._policy)
        return breaker

    def adopt(self, key: Key, opening: Opening | None) -> None:
        """Take over what others know of a key; None closes it."""
        breaker = self.find(key)
        before = breaker.state
        if opening is None:
            breaker.close()
        else:
            breaker.adopt(opening, self._clock.monotonic())
        self._settled(breaker, before, adopted=True)

    async def _confirmed(self, breaker: Breaker, ticket: int) -> int | None:
        """Return the ticket of a call that may go through now, after asking the others."""
        if self._openings is None:
            return ticket
        try:
            may_try = await self._openings.claim(breaker.key)
        except BaseException:  # the caller went away: the turn is free again
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
            except Exception:  # whoever listens, the call goes on
                logger.exception("a listener to breakers failed")

    def _wall(self, moment: float) -> datetime:
        return self._clock.now() + timedelta(seconds=moment - self._clock.monotonic())
