"""Queries on the rows of openings: read, fill and claim."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.dispatch.tables import CODE_LENGTH, BreakerOpeningRow

from .breaker import Breaker, Key, Opening


async def read_all(session: AsyncSession) -> dict[Key, BreakerOpeningRow]:
    """Return every opening; there are only a few."""
    rows = await session.scalars(select(BreakerOpeningRow))
    return {Key(row.app_id, row.version, row.capability): row for row in rows}


async def claim(unit: UnitOfWork, key: Key, *, opening: str, by: str, lease: timedelta) -> bool:
    """Claim the trial of an opening by compare-and-set; return whether the claim succeeded.

    It succeeds if the opening still exists and no other process has a trial with a valid lease.
    """
    row = BreakerOpeningRow
    free = or_(row.probe.is_(None), row.probe == by, row.probe_until < unit.now)
    granted = await unit.session.scalar(
        update(row)
        .where(*of(key), row.opening == opening, free)
        .values(probe=by, probe_until=unit.now + lease)
        .returning(row.opening)
    )
    return granted is not None


def fill(row: BreakerOpeningRow, unit: UnitOfWork, breaker: Breaker) -> BreakerOpeningRow:
    """Write a breaker's opening into a row, in database time, without a trial."""
    row.opening = breaker.opening or ""
    row.failures, row.successes = breaker.failures, breaker.successes
    row.code = breaker.code and breaker.code[:CODE_LENGTH]
    row.opened_at = unit.now + timedelta(seconds=breaker.opened_at - unit.began)
    row.open_until = unit.now + timedelta(seconds=breaker.until - unit.began)
    row.probe = row.probe_until = None
    return row


def read(row: BreakerOpeningRow | None, me: str, now: datetime, began: float) -> Opening | None:
    """Return the opening in a row, None without a row.

    `now` is a time of the database's clock, and `began` the same time of this process's
    monotonic clock, in seconds. `me` is this process.
    """
    if row is None:
        return None

    def seconds(moment: datetime) -> float:
        return began + (moment - now).total_seconds()

    elsewhere = row.probe_until if row.probe != me else None
    return Opening(
        id=row.opening,
        failures=row.failures,
        successes=row.successes,
        opened_at=seconds(row.opened_at),
        until=seconds(row.open_until),
        code=row.code,
        elsewhere_until=seconds(elsewhere) if elsewhere is not None else 0.0,
    )


def of(key: Key) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that selects the row of a key."""
    row = BreakerOpeningRow
    return (row.app_id == key.app_id, row.version == key.version, row.capability == key.capability)
