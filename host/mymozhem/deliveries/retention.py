"""Delete old deliveries after their retention period."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select

from mymozhem.db.unit_of_work import Database, UnitOfWork

from .tables import DeliveryContextRow, DeliveryRow, DeliveryState, StreamRow

#: seconds between two runs of the cleaner in one process
EVERY = 3_600.0

#: rows that one transaction deletes; other transactions run in between
AT_ONCE = 100


@dataclass(frozen=True)
class Retention:
    """How long to keep settled deliveries, counted from their delivery or death."""

    delivered: timedelta = timedelta(days=7)
    dead: timedelta = timedelta(days=30)


async def clean(database: Database, keep: Retention) -> int:
    """Delete what is older than its retention period; return how many deliveries that were.

    Pending and accepted deliveries are never deleted.
    """
    return await _delete_all(database, lambda now: _old(keep, now))


async def forget_delivered(database: Database, room_id: str) -> int:
    """Delete the delivered notifications of a room: they show people who want to be forgotten.

    Pending and dead deliveries are kept. Returns how many deliveries were deleted.
    """
    delivered = (DeliveryRow.state == DeliveryState.DELIVERED) & (DeliveryRow.room_id == room_id)
    return await _delete_all(database, lambda _: delivered)


def _old(keep: Retention, now: datetime) -> ColumnElement[bool]:
    return or_(
        (DeliveryRow.state == DeliveryState.DELIVERED)
        & (DeliveryRow.settled_at < now - keep.delivered),
        (DeliveryRow.state == DeliveryState.DEAD) & (DeliveryRow.settled_at < now - keep.dead),
    )


async def _delete_all(database: Database, which: Callable[[datetime], ColumnElement[bool]]) -> int:
    deleted = 0
    while True:
        async with database.write() as unit:
            some = await _delete_some(unit, which(unit.now))
        deleted += some
        if some < AT_ONCE:
            break
    return deleted


async def _delete_some(unit: UnitOfWork, which: ColumnElement[bool]) -> int:
    found = await unit.session.execute(
        select(DeliveryRow.id, DeliveryRow.stream, DeliveryRow.context_id)
        .where(which)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    rows = found.all()
    if not rows:
        return 0
    await unit.session.execute(
        delete(DeliveryRow).where(DeliveryRow.id.in_([row.id for row in rows]))
    )
    await forget_contexts(unit, {row.context_id for row in rows})
    await _forget_streams(unit, {row.stream for row in rows})
    return len(rows)


async def forget_contexts(unit: UnitOfWork, ids: set[str]) -> None:
    """Delete the given contexts, except those that a delivery refers to."""
    used = select(DeliveryRow.id).where(DeliveryRow.context_id == DeliveryContextRow.id).exists()
    await unit.session.execute(
        delete(DeliveryContextRow)
        .where(DeliveryContextRow.id.in_(ids), ~used)
        .execution_options(synchronize_session=False)
    )


async def _forget_streams(unit: UnitOfWork, names: set[str]) -> None:
    """Delete the given streams if they have no deliveries any more and nobody writes to them."""
    idle = await unit.session.scalars(
        select(StreamRow.stream)
        .where(StreamRow.stream.in_(names), StreamRow.next_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    used = select(DeliveryRow.id).where(DeliveryRow.stream == StreamRow.stream).exists()
    await unit.session.execute(
        delete(StreamRow)
        .where(StreamRow.stream.in_(idle.all()), ~used)
        .execution_options(synchronize_session=False)
    )
