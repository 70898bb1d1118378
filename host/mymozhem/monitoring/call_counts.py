"""Counts of calls in spans of five minutes and of an hour.

Each process counts in memory and adds its counts to the table every few seconds, so that the table
has the sum of all processes.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, or_
from sqlalchemy.dialects import postgresql, sqlite

from mymozhem.clock import Clock
from mymozhem.contract import DecidedBy
from mymozhem.db.base import new_id
from mymozhem.db.delete_in_parts import delete_in_parts
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.observability.call_observer import AppReport, Observed

from .duration_buckets import NOT_ASKED, bucket_of
from .tables import CODE_LENGTH, CallCountRow, Grain

#: a call that took more of its deadline than this is slow
SLOW_SHARE = 0.8

SPAN: Mapping[Grain, timedelta] = {
    Grain.FINE: timedelta(minutes=5),
    Grain.HOUR: timedelta(hours=1),
}
_KEEP: Mapping[Grain, timedelta] = {Grain.FINE: timedelta(hours=2), Grain.HOUR: timedelta(days=8)}
#: rows per statement; the number of parameters is limited
_AT_ONCE = 500


class _Key(NamedTuple):
    started_at: datetime
    app_id: str
    version: str
    capability: str
    code: str
    bucket: int


class _Count:
    __slots__ = ("calls", "fallbacks", "slow", "total_ms")

    def __init__(self) -> None:
        self.calls = self.fallbacks = self.slow = 0
        self.total_ms = 0.0

    def add(self, *, calls: int, fallbacks: int, slow: int, total_ms: float) -> None:
        self.calls += calls
        self.fallbacks += fallbacks
        self.slow += slow
        self.total_ms += total_ms

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


_Counts = dict[_Key, _Count]


class CallCounts:
    """Counts the calls of this process; `flush` adds them to the table."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: _Counts = {}
        self._span = clock.now()
        self._span_ends = -math.inf

    def observed(self, call: Observed, /) -> None:
        """Count a finished call; it takes a few microseconds, since every call does it."""
        reached = call.reached
        key = _Key(
            self._current(), call.app_id, call.version, call.capability, call.failure_code or "",
            bucket_of(call.duration_ms) if reached else NOT_ASKED,
        )  # fmt: skip
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count()
        count.calls += 1
        if call.decided_by is not DecidedBy.APP:
            count.fallbacks += 1
        if reached:
            count.total_ms += call.duration_ms
            if call.duration_ms > call.deadline_ms * SLOW_SHARE:
                count.slow += 1

    def reported(self, report: AppReport, /) -> None:
        """Count what an app does wrong besides its replies; it is not a call of it."""
        key = _Key(
            self._current(), report.app_id, report.version, report.capability, report.code,
            NOT_ASKED,
        )  # fmt: skip
        self._counts.setdefault(key, _Count()).calls += 1

    async def flush(self, database: Database) -> None:
        """Add the counts since the last flush to the table; if it fails, no count is lost."""
        if not self._counts:
            return
        taken, self._counts = self._counts, {}
        try:
            async with database.write() as unit:
                for grain, span in SPAN.items():
                    await _add(unit, database.dialect, grain, _by(span, taken))
        except Exception:
            for key, count in taken.items():
                self._counts.setdefault(key, _Count()).add(**count.values())
            raise

    def _current(self) -> datetime:
        """Return the start of the current span; reads the wall clock once per span."""
        now = self._clock.monotonic()
        if now >= self._span_ends:
            wall = self._clock.now()
            self._span = floor(wall, SPAN[Grain.FINE])
            self._span_ends = now + (self._span + SPAN[Grain.FINE] - wall).total_seconds()
        return self._span


async def forget_old(database: Database) -> None:
    """Delete counts that are older than any window."""

    def old(now: datetime) -> ColumnElement[bool]:
        return or_(
            *(
                (CallCountRow.grain == grain) & (CallCountRow.started_at < now - kept)
                for grain, kept in _KEEP.items()
            )
        )

    await delete_in_parts(database, CallCountRow, old)


def floor(moment: datetime, span: timedelta) -> datetime:
    """Return the start of the span (a part of an hour, or an hour) that contains a moment."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour + (moment - hour) // span * span


def _by(span: timedelta, counts: _Counts) -> _Counts:
    """Sum counts by longer spans; codes are truncated to the width of the column."""
    summed: _Counts = {}
    for key, count in counts.items():
        started = floor(key.started_at, span)
        wider = key._replace(started_at=started, code=key.code[:CODE_LENGTH])
        summed.setdefault(wider, _Count()).add(**count.values())
    return summed


async def _add(unit: UnitOfWork, dialect: str, grain: Grain, counts: _Counts) -> None:
    # In a fixed order, so that two processes that add to the same rows cannot deadlock.
    rows = [
        {"id": new_id("cnt"), "grain": grain, **key._asdict(), **counts[key].values()}
        for key in sorted(counts)
    ]
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    for start in range(0, len(rows), _AT_ONCE):
        new = insert(CallCountRow).values(rows[start : start + _AT_ONCE])
        sums = {
            name: CallCountRow.__table__.c[name] + new.excluded[name] for name in _Count.__slots__
        }
        await unit.session.execute(
            new.on_conflict_do_update(index_elements=["grain", *_Key._fields], set_=sums)
        )
