"""Rate limits: per user and app for all requests, per address for failed attempts."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mymozhem.auth.principal import AnyPrincipal, AppPrincipal
from mymozhem.config import Settings
from mymozhem.errors import TooManyRequests

from .client_address import anonymous, digest
from .guess_pace import LONGEST, GuessPace
from .sign_in_attempts import SignInAttempts

if TYPE_CHECKING:
    from limits import RateLimitItem

    from .rate_counters import Counters

#: the prefix of keys of accounts among those of failed sign-ins
ACCOUNT = "account "


@dataclass(frozen=True, slots=True)
class Quota:
    """The remaining requests of this minute.

    `reset` is the Unix time at which the next minute begins, `wait` the seconds until then.
    """

    limit: int
    remaining: int
    reset: int
    wait: int

    @property
    def headers(self) -> dict[str, str]:
        """The headers that report the quota to a client."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class Limits:
    """Counters in this process; each count expires after a minute.

    Only failures count against an address, so that many people behind one address can join. Right
    codes and right secrets of apps pass even after too many wrong ones: they are too long to be
    guessed. Passwords may be short, so `SignInAttempts` slows their attempts down; codes of six
    digits are compared at the pace of `GuessPace` after too many failures.
    """

    def __init__(self, settings: Settings) -> None:
        self._enabled = settings.rate_limits_enabled
        self._settings = settings
        self._pace = GuessPace()
        self._sign_ins = SignInAttempts(self, delay=settings.sign_in_delay_ms / 1000)

    @cached_property
    def _counters(self) -> "Counters":
        """The counters, made for the first request: their library takes a while to load."""
        from .rate_counters import Counters

        return Counters(self._settings)

    def count(self, principal: AnyPrincipal | None) -> Quota | None:
        """Count a request of a signed-in caller; TooManyRequests above the limit."""
        if principal is None or not self._enabled:
            return None
        counters = self._counters
        item = counters.app if isinstance(principal, AppPrincipal) else counters.person
        allowed = counters.strategy.hit(item, "signed in", principal.subject)
        quota = self._quota(item, "signed in", principal.subject)
        if not allowed:
            raise _too_many(quota)
        return quota

    @asynccontextmanager
    async def password_attempt(
        self, *, address: str, account: str, device: str | None
    ) -> AsyncIterator[None]:
        """Admit an attempt to sign in, which the block makes; see `SignInAttempts.attempt`.

        It counts against the client's address and against the account, whether that exists or not.
        From a known `device` of the account it counts against that device alone.
        """
        if not self._enabled:
            yield
            return
        strangers = f"address {anonymous(address)}", f"{ACCOUNT}{digest(account)}"
        keys = strangers if device is None else (f"device {device}",)
        async with self._sign_ins.attempt(*keys):
            yield

    def left(self, key: str) -> int:
        """Return how many failed sign-ins a key has left in this minute."""
        return self._counters.strategy.get_window_stats(self._sign_in(key), key).remaining

    def add(self, key: str) -> None:
        """Count a failed sign-in of a key."""
        self._counters.strategy.hit(self._sign_in(key), key)

    def exceeded(self, key: str, wait: int) -> TooManyRequests:
        """Return the error for a key that failed too often; `wait` in seconds."""
        quota = self._quota(self._sign_in(key), key)
        return _too_many(replace(quota, remaining=0), wait=wait)

    async def slow_down(self, kind: str, address: str) -> None:
        """Wait for a turn if an address, or all together, have failed too often in this minute.

        Raises TooManyRequests if too many attempts wait already.
        """
        if not self._enabled:
            return
        counters, who = self._counters, anonymous(address)
        own = self._quota(counters.address, kind, who)
        all_together = self._quota(counters.everybody, kind)
        if own.remaining and all_together.remaining:
            return
        if not await self._pace.wait():
            raise _too_many(all_together if own.remaining else own, wait=round(LONGEST))

    def count_failure(self, kind: str, address: str) -> None:
        """Count a failed attempt; raise TooManyRequests, instead of the error, above the limit."""
        if not self._enabled:
            return
        counters, who = self._counters, anonymous(address)
        if not counters.strategy.hit(counters.address, kind, who):
            raise _too_many(self._quota(counters.address, kind, who))
        if not counters.strategy.hit(counters.everybody, kind):
            raise _too_many(self._quota(counters.everybody, kind))

    def _sign_in(self, key: str) -> "RateLimitItem":
        counters = self._counters
        return counters.account if key.startswith(ACCOUNT) else counters.address

    def _quota(self, item: "RateLimitItem", *who: str) -> Quota:
        stats = self._counters.strategy.get_window_stats(item, *who)
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        return Quota(item.amount, max(0, stats.remaining), math.ceil(stats.reset_time), wait)


def _too_many(quota: Quota, *, wait: int | None = None) -> TooManyRequests:
    return TooManyRequests(
        details={
            "retryAfter": quota.wait if wait is None else wait,
            "limit": quota.limit,
            "remaining": quota.remaining,
            "reset": quota.reset,
        }
    )
