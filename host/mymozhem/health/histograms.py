"""How calls of apps went, in spans of five minutes and of an hour: counted here, added up there.

Each process counts in memory and adds its counts to the table every few seconds, so that the table
holds those of all processes.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.clock import Clock
from mymozhem.contract import DecidedBy
from mymozhem.db.base import new_id
from mymozhem.db.uow import Database, UnitOfWork
from mymozhem.observability.calls import Observed

from .buckets import NOT_ASKED, Spread, bucket_of
from .tables import CODE_LENGTH, CallCountRow, Grain

Window = Literal["1h", "24h", "7d"]

#: codes that say nothing about the app: the operator stopped it, or others used the time up
NEUTRAL = frozenset({"APP_STOPPED", "APP_BUDGET_SPENT"})
#: codes with which an app did answer, only not at once
ANSWERED = frozenset({"", "APP_ACCEPTED"})
TIMEOUT = "APP_TIMEOUT"
#: a call that took more of its deadline than this is slow
SLOW_SHARE = 0.8

SPAN: Mapping[Grain, timedelta] = {
    Grain.FINE: timedelta(minutes=5),
    Grain.HOUR: timedelta(hours=1),
}
_WINDOWS: Mapping[Window, tuple[Grain, timedelta]] = {
    "1h": (Grain.FINE, timedelta(hours=1)),
    "24h": (Grain.HOUR, timedelta(hours=24)),
    "7d": (Grain.HOUR, timedelta(days=7)),
}
_KEEP: Mapping[Grain, timedelta] = {Grain.FINE: timedelta(hours=2), Grain.HOUR: timedelta(days=8)}
#: rows written by one statement; more would be too many parameters for one
_AT_ONCE = 500


class _Key(NamedTuple):
    grain: Grain
    started_at: datetime
    app_id: str
    version: str
    capability: str
    code: str
    bucket: int


@dataclass
class _Count:
    calls: int = 0
    fallbacks: int = 0
    slow: int = 0
    total_ms: float = 0.0

    def add(self, other: "_Count") -> None:
        self.calls += other.calls
        self.fallbacks += other.fallbacks
        self.slow += other.slow
        self.total_ms += other.total_ms


class Histograms:
    """Counts the calls of this process; `flush` adds them to the table."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: defaultdict[_Key, _Count] = defaultdict(_Count)

    def observed(self, call: Observed, /) -> None:
        """Count a call that is over."""
        now = self._clock.now()
        count = _Count(
            calls=1,
            fallbacks=int(call.decided_by is not DecidedBy.APP),
            slow=int(call.reached and call.duration_ms > call.deadline_ms * SLOW_SHARE),
            total_ms=call.duration_ms if call.reached else 0.0,
        )
        bucket = bucket_of(call.duration_ms) if call.reached else NOT_ASKED
        for grain in Grain:
            started = floor(now, SPAN[grain])
            names = (
                call.app_id,
                call.version,
                call.capability,
                (call.failure_code or "")[:CODE_LENGTH],
            )
            self._counts[_Key(grain, started, *names, bucket)].add(count)

    async def flush(self, database: Database) -> None:
        """Add what was counted since the last time to the table; nothing is lost when it fails."""
        if not self._counts:
            return
        taken, self._counts = self._counts, defaultdict(_Count)
        try:
            async with database.write() as unit:
                await _add(unit, database.dialect, taken)
        except Exception:
            for key, count in taken.items():
                self._counts[key].add(count)
            raise


@dataclass(frozen=True)
class Figures:
    """How the calls of one app and capability went.

    `successes` and `failures` leave out calls that say nothing about the app; a refusal is an
    answer, so it counts as a success. `codes` are the failures by their code, `slow` the calls that
    took over 80 % of their deadline, `asked` those that reached the app.
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
    versions: tuple[str, ...]
    spread: Spread

    @property
    def success_rate(self) -> float | None:
        """The share of calls that the app answered; None where none says anything about it."""
        judged = self.successes + self.failures
        return self.successes / judged if judged else None

    @property
    def worst_code(self) -> str | None:
        """The code of most failures; None without failures."""
        return max(self.codes, key=lambda code: (self.codes[code], code), default=None)


async def figures(
    session: AsyncSession, window: Window, now: datetime, *, app_id: str | None = None
) -> list[Figures]:
    """Return how calls went in the last hour, day or week, by app and capability.

    The running span counts: the hour is exact to five minutes, day and week to an hour. What
    processes have not added yet, at most some ten seconds of calls, is missing.
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
        counted = _Count(int(calls), int(fallbacks), int(slow), float(total))
        grouped[app, capability].append(_Line(version, code, bucket, counted))
    return [_figures(*name, grouped[name]) for name in sorted(grouped)]


async def forget_old(unit: UnitOfWork) -> None:
    """Delete counts that no window reaches any more."""
    old = (
        (CallCountRow.grain == grain) & (CallCountRow.started_at < unit.now - kept)
        for grain, kept in _KEEP.items()
    )
    await unit.session.execute(delete(CallCountRow).where(or_(*old)))


def floor(moment: datetime, span: timedelta) -> datetime:
    """Return the beginning of the span (a part of an hour, or an hour) that a moment lies in."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour + (moment - hour) // span * span


class _Line(NamedTuple):
    version: str
    code: str
    bucket: int
    counted: _Count


def _figures(app_id: str, capability: str, lines: list[_Line]) -> Figures:
    codes: defaultdict[str, int] = defaultdict(int)
    buckets: defaultdict[int, int] = defaultdict(int)
    whole, successes = _Count(), 0
    for _, code, bucket, counted in lines:
        whole.add(counted)
        if code in ANSWERED:
            successes += counted.calls
        elif code not in NEUTRAL:
            codes[code] += counted.calls
        if bucket != NOT_ASKED:
            buckets[bucket] += counted.calls
    return Figures(
        app_id=app_id,
        capability=capability,
        calls=whole.calls,
        successes=successes,
        failures=sum(codes.values()),
        timeouts=codes.get(TIMEOUT, 0),
        fallbacks=whole.fallbacks,
        asked=sum(buckets.values()),
        slow=whole.slow,
        codes=dict(codes),
        versions=tuple(sorted({line.version for line in lines})),
        spread=Spread.of(buckets, whole.total_ms),
    )


async def _add(unit: UnitOfWork, dialect: str, counts: Mapping[_Key, _Count]) -> None:
    # In one order, or two processes that add to the same rows would wait for each other.
    rows: list[dict[str, Any]] = [
        {"id": new_id("cnt"), **key._asdict(), **vars(counts[key])} for key in sorted(counts)
    ]
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    adding = ("calls", "fallbacks", "slow", "total_ms")
    for start in range(0, len(rows), _AT_ONCE):
        new = insert(CallCountRow).values(rows[start : start + _AT_ONCE])
        await unit.session.execute(
            new.on_conflict_do_update(
                index_elements=list(_Key._fields),
                set_={name: CallCountRow.__table__.c[name] + new.excluded[name] for name in adding},
            )
        )
