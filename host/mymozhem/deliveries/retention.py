"""What becomes of old deliveries: they go once nobody asks for them any more."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, or_, select

from mymozhem.db.uow import Database, UnitOfWork

from .tables import DeliveryContextRow, DeliveryRow, DeliveryState, StreamRow

#: seconds between two clean-ups of one process
EVERY = 3_600.0

#: rows that one transaction deletes; others write in between
AT_ONCE = 500


@dataclass(frozen=True)
class Retention:
    """How long settled deliveries are kept: since they were delivered, or since they died."""

    delivered: timedelta = timedelta(days=7)
    dead: timedelta = timedelta(days=30)


async def clean(database: Database, keep: Retention) -> int:
    """Delete what is older than it is to be kept; return how many deliveries that were.

    What is pending or accepted is never deleted, however old it is.
    """
    deleted = 0
    while True:
        async with database.write() as unit:
            some = await _delete_some(unit, keep)
        deleted += some
        if some < AT_ONCE:
            break
    return deleted


async def _delete_some(unit: UnitOfWork, keep: Retention) -> int:
    old = or_(
        (DeliveryRow.state == DeliveryState.DELIVERED)
        & (DeliveryRow.settled_at < unit.now - keep.delivered),
        (DeliveryRow.state == DeliveryState.DEAD) & (DeliveryRow.settled_at < unit.now - keep.dead),
    )
    found = await unit.session.execute(
        select(DeliveryRow.id, DeliveryRow.stream, DeliveryRow.context_id)
        .where(old)
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
    """Delete those contexts that no delivery has any more."""
    used = select(DeliveryRow.id).where(DeliveryRow.context_id == DeliveryContextRow.id).exists()
    await unit.session.execute(
        delete(DeliveryContextRow)
        .where(DeliveryContextRow.id.in_(ids), ~used)
        .execution_options(synchronize_session=False)
    )


async def _forget_streams(unit: UnitOfWork, names: set[str]) -> None:
    """Delete those streams that have no deliveries any more, and that nobody writes in."""
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
