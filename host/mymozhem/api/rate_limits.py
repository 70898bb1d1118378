"""Rate limits: per user and app for all requests, per address for failed attempts."""

import hashlib
import math
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mymozhem.auth.principal import AnyPrincipal, AppPrincipal
from mymozhem.config import Settings
from mymozhem.errors import TooManyRequests

if TYPE_CHECKING:
    from limits import RateLimitItem

    from .rate_counters import Counters


@dataclass(frozen=True, slots=True)
class Quota:
    """The remaining requests of this minute; `reset` in seconds from now."""

    limit: int
    remaining: int
    reset: int

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

    Only failures count against an address, so that many people behind one address can join; right
    codes pass even after too many wrong ones. Passwords do not: after too many failures from an
    address, none is compared until the minute is over.
    """

    def __init__(self, settings: Settings) -> None:
        self._enabled = settings.rate_limits_enabled
        self._settings = settings

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

    def require_attempts_left(self, kind: str, address: str) -> None:
        """Raise TooManyRequests if an address has failed too often."""
        if not self._enabled:
            return
        counters, who = self._counters, _anonymous(address)
        if not counters.strategy.test(counters.address, kind, who):
            raise _too_many(self._quota(counters.address, kind, who))

    def count_failure(self, kind: str, address: str) -> None:
        """Count a failed attempt; raise TooManyRequests, instead of the error, above the limit."""
        if not self._enabled:
            return
        counters, who = self._counters, _anonymous(address)
        if not counters.strategy.hit(counters.address, kind, who):
            raise _too_many(self._quota(counters.address, kind, who))
        if not counters.strategy.hit(counters.everybody, kind):
            raise _too_many(self._quota(counters.everybody, kind))

    def _quota(self, item: "RateLimitItem", *who: str) -> Quota:
        stats = self._counters.strategy.get_window_stats(item, *who)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        return Quota(item.amount, max(0, stats.remaining), reset)


def _anonymous(address: str) -> str:
    # Addresses are personal data, and may be long: only their digest is stored.
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def _too_many(quota: Quota) -> TooManyRequests:
    return TooManyRequests(
        details={
            "retryAfter": quota.reset,
            "limit": quota.limit,
            "remaining": quota.remaining,
            "reset": quota.reset,
        }
    )
