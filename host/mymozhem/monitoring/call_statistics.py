"""Statistics of calls over the last hour, day or week, from the counts of all processes."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from .call_counts import SPAN, floor
from .duration_buckets import NOT_ASKED, DurationBuckets
from .tables import CallCountRow, Grain

Window = Literal["1h", "24h", "7d"]

#: codes that say nothing about the app: the operator stopped it, or others used up the time
NEUTRAL = frozenset({"APP_STOPPED", "APP_BUDGET_SPENT"})
#: codes of reports about apps, which are not calls
TIMERS, BLOCKED = "TIMERS_TOO_OFTEN", "APP_BLOCKED_HOST"
REPORTS = frozenset({TIMERS, BLOCKED})
#: codes of apps that did reply, but with a later result
ANSWERED = frozenset({"", "APP_ACCEPTED"})
TIMEOUT = "APP_TIMEOUT"

_WINDOWS: Mapping[Window, tuple[Grain, timedelta]] = {
    "1h": (Grain.FINE, timedelta(hours=1)),
    "24h": (Grain.HOUR, timedelta(hours=24)),
    "7d": (Grain.HOUR, timedelta(days=7)),
}


@dataclass(frozen=True)
class CallStatistics:
    """The results of the calls of one app and capability.

    `successes` and `failures` leave out calls that say nothing about the app; a refusal is a valid
    reply, so it counts as a success. `codes` are the failures by their code, `slow` the calls that
    took over 80 % of their deadline, `asked` those that reached the app. `reports` are what the app
    does wrong besides its replies, by code.
    """

    app_id: str
    capability: str
    calls: int
    successes: int
    failures: int
    timeouts: int
    fallbacks: int
    asked: int
    slow: int
    codes: Mapping[str, int]
    reports: Mapping[str, int]
    versions: tuple[str, ...]
    spread: DurationBuckets

    @property
    def success_rate(self) -> float | None:
        """The share of calls that succeeded; None if no call says anything about the app."""
        judged = self.successes + self.failures
        return self.successes / judged if judged else None

    @property
    def worst_code(self) -> str | None:
        """The most frequent failure code; None without failures."""
        return max(self.codes, key=lambda code: (self.codes[code], code), default=None)


async def call_statistics(
    session: AsyncSession, window: Window, now: datetime, *, app_id: str | None = None
) -> list[CallStatistics]:
    """Return the statistics of the last hour, day or week, by app and capability.

    The current span counts: the hour is exact to five minutes, day and week to an hour. Counts
    that processes have not added yet, at most some ten seconds of calls, are missing.
    """
    grain, length = _WINDOWS[window]
    since = floor(now, SPAN[grain]) - length + SPAN[grain]
    names = (
        CallCountRow.app_id, CallCountRow.capability, CallCountRow.version, CallCountRow.code,
        CallCountRow.bucket,
    )  # fmt: skip
    found = select(
        *names,
        func.sum(CallCountRow.calls),
        func.sum(CallCountRow.fallbacks),
        func.sum(CallCountRow.slow),
        func.sum(CallCountRow.total_ms),
    ).where(CallCountRow.grain == grain, CallCountRow.started_at >= since)
    if app_id is not None:
        found = found.where(CallCountRow.app_id == app_id)
    grouped: defaultdict[tuple[str, str], list[_Line]] = defaultdict(list)
    for row in await session.execute(found.group_by(*names)):
        app, capability, version, code, bucket, calls, fallbacks, slow, total = row
        line = _Line(version, code, bucket, int(calls), int(fallbacks), int(slow), float(total))
        grouped[app, capability].append(line)
    return [_figures(*name, grouped[name]) for name in sorted(grouped)]


class _Line(NamedTuple):
    version: str
    code: str
    bucket: int
    calls: int
    fallbacks: int
    slow: int
    total_ms: float


def _figures(app_id: str, capability: str, lines: list[_Line]) -> CallStatistics:
    codes: defaultdict[str, int] = defaultdict(int)
    buckets: defaultdict[int, int] = defaultdict(int)
    reports: defaultdict[str, int] = defaultdict(int)
    for line in (each for each in lines if each.code in REPORTS):
        reports[line.code] += line.calls
    lines = [each for each in lines if each.code not in REPORTS]
    for line in lines:
        if line.code not in ANSWERED | NEUTRAL:
            codes[line.code] += line.calls
        if line.bucket != NOT_ASKED:
            buckets[line.bucket] += line.calls
    return CallStatistics(
        app_id=app_id,
        capability=capability,
        calls=sum(line.calls for line in lines),
        successes=sum(line.calls for line in lines if line.code in ANSWERED),
        failures=sum(codes.values()),
        timeouts=codes.get(TIMEOUT, 0),
        fallbacks=sum(line.fallbacks for line in lines),
        asked=sum(buckets.values()),
        slow=sum(line.slow for line in lines),
        codes=dict(codes),
        reports=dict(reports),
        versions=tuple(sorted({line.version for line in lines})),
        spread=DurationBuckets.of(buckets, sum(line.total_ms for line in lines)),
    )
