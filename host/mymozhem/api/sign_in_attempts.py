"""Attempts to guess a password: each is counted before it is compared.

An attempt takes a place among the failures that its keys (its address, its account) have left, and
gives the place back if it succeeds. So sixty attempts at once compare no more passwords than sixty
attempts in turn. After too many failures, attempts are delayed and not refused: one at a time is
compared per key, `delay` seconds after the last one. So nobody can lock others out by guessing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from mymozhem.errors import Busy, TooManyRequests, Unauthenticated, Unavailable

#: attempts per key that are compared at a time; the threads that compare are fewer
AT_ONCE = 4
#: attempts per key that wait until others have been compared
MOST_WAITING = 64
#: attempts per key that wait for their delay; others are refused, with the time to wait
MOST_DELAYED = 4
#: gates that are kept before those that nobody uses are dropped
MOST_IDLE = 1_000


class Failures(Protocol):
    """Counts the failures of a key; a count expires after a minute."""

    def left(self, key: str) -> int:
        """Return how many failures a key has left."""
        ...

    def add(self, key: str) -> None:
        """Count a failure."""
        ...

    def exceeded(self, key: str, wait: int) -> TooManyRequests:
        """Return the error for a key; `wait` in seconds."""
        ...


@dataclass
class _Gate:
    """The attempts of one key: those being compared, and those that wait."""

    running: int = 0
    waiting: int = 0
    delayed: int = 0
    #: the time of the event loop before which no delayed attempt is compared
    not_before: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def is_idle(self, now: float) -> bool:
        return not (self.running or self.waiting or self.delayed) and self.not_before <= now

    async def wait(self) -> None:
        """Wait until an attempt of this key has ended."""
        if self.waiting >= MOST_WAITING:
            raise Busy(
                "Too many people are signing in at this moment; try again in a few seconds.",
                code="SIGN_IN_BUSY",
            )
        self.waiting += 1
        try:
            await self.changed.wait()
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """End an attempt, and let those that wait look again, in their order."""
        self.running -= 1
        self.changed.set()
        self.changed = asyncio.Event()


class SignInAttempts:
    """Admits attempts; used from one event loop."""

    def __init__(self, failures: Failures, *, delay: float) -> None:
        self._failures = failures
        self._delay = delay
        self._gates: dict[str, _Gate] = {}

    @asynccontextmanager
    async def attempt(self, *keys: str) -> AsyncIterator[None]:
        """Admit an attempt, which the block makes: it counts as failed unless the block succeeds.

        Raises `TooManyRequests` after too many failures: before the block if too many attempts are
        delayed already, after it if a delayed attempt fails as well. Raises `Unavailable` if too
        many attempts wait; a block that raises it is not counted.
        """
        slowed = await self._enter(keys)
        try:
            yield
        except Unavailable:
            raise
        except Unauthenticated as error:
            self._count(keys)
            if slowed is None:
                raise
            raise self._wrong_again(slowed, error) from error
        except BaseException:
            self._count(keys)  # the client may be gone, and the password is compared all the same
            raise
        finally:
            for key in keys:
                self._gates[key].leave()

    async def _enter(self, keys: Iterable[str]) -> str | None:
        """Take a place at every key; return the key that delayed the attempt, if any.

        No place is held while the attempt waits at another key.
        """
        passed: set[str] = set()
        slowed: str | None = None
        while True:
            self._drop_idle()
            gates = {key: self._gates.setdefault(key, _Gate()) for key in keys}
            for key, gate in gates.items():
                left = self._failures.left(key)
                if left <= 0 and key not in passed:
                    await self._wait_for_delay(key, gate)
                    passed.add(key)
                    slowed = key
                    break
                if gate.running >= (AT_ONCE if key in passed else min(AT_ONCE, left)):
                    await gate.wait()
                    break
            else:
                for gate in gates.values():
                    gate.running += 1
                return slowed

    async def _wait_for_delay(self, key: str, gate: _Gate) -> None:
        if gate.delayed >= MOST_DELAYED:
            raise self._failures.exceeded(key, self._seconds)
        loop = asyncio.get_running_loop()
        gate.delayed += 1
        try:
            # Each takes the next time that is free, so that they are compared in their order.
            gate.not_before = max(gate.not_before, loop.time()) + self._delay
            await asyncio.sleep(gate.not_before - loop.time())
        finally:
            gate.delayed -= 1

    def _wrong_again(self, key: str, error: Unauthenticated) -> TooManyRequests:
        exceeded = self._failures.exceeded(key, self._seconds)
        return TooManyRequests(
            f"{error.message} Too many attempts have failed; wait for the seconds that "
            "Retry-After names.",
            details=exceeded.details,
        )

    @property
    def _seconds(self) -> int:
        return max(1, round(self._delay))

    def _count(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._failures.add(key)

    def _drop_idle(self) -> None:
        if len(self._gates) >= MOST_IDLE:
            now = asyncio.get_running_loop().time()
            self._gates = {key: gate for key, gate in self._gates.items() if not gate.is_idle(now)}
