"""Dead letters: deliveries that failed every attempt, until somebody retries or deletes them."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import Conflict, NotFound

from .outbox import Outbox, reserve
from .retention import forget_contexts
from .tables import DeliveryRow, DeliveryState

#: letters that one transaction retries; other transactions run in between
AT_ONCE = 50


class NotDead(Conflict):
    """This delivery is not a dead letter: it is pending, or the app has it."""

    default_code = "DELIVERY_NOT_DEAD"


async def retry(unit: UnitOfWork, outbox: Outbox, delivery_id: str) -> DeliveryRow:
    """Put a dead letter at the end of its stream; it keeps its past attempts.

    Raises NotFound if there is no such delivery, `NotDead` if it is not dead.
    """
    row = await _dead(unit.session, delivery_id)
    if not await _again(unit, outbox, row):
        raise NotDead
    await unit.session.refresh(row)
    return row


async def retry_since(
    database: Database, outbox: Outbox, since: datetime, *, app_id: str | None = None
) -> int:
    """Retry every letter that died at `since` or later, of one app or of all; return how many.

    Letters of one stream keep their order. A crash half-way leaves the rest dead. Idempotent.
    """
    retried = 0
    until = await database.now()
    while True:
        async with database.write() as unit:
            rows = await unit.session.scalars(
                select(DeliveryRow)
                .where(*_died(since, until, app_id))
                .order_by(DeliveryRow.stream, DeliveryRow.position)
                .limit(AT_ONCE)
            )
            some = rows.all()
            done = [await _again(unit, outbox, row) for row in some]
        retried += sum(done)
        if len(some) < AT_ONCE:
            return retried


async def remove(unit: UnitOfWork, delivery_id: str) -> DeliveryRow:
    """Delete a dead letter permanently; raises NotFound, or `NotDead` if it is not dead."""
    row = await _dead(unit.session, delivery_id)
    gone = delete(DeliveryRow).where(*_still_dead(row)).returning(DeliveryRow.id)
    if await unit.session.scalar(gone) is None:
        raise NotDead
    await forget_contexts(unit, {row.context_id})
    return row


async def count(session: AsyncSession) -> dict[str, int]:
    """Return how many dead letters each app has; apps without any are left out."""
    rows = await session.execute(
        select(DeliveryRow.app_id, func.count())
        .where(DeliveryRow.state == DeliveryState.DEAD)
        .group_by(DeliveryRow.app_id)
    )
    return {app_id: int(letters) for app_id, letters in rows}


async def _again(unit: UnitOfWork, outbox: Outbox, row: DeliveryRow) -> bool:
    """Give a letter a new position; return False if somebody else was first."""
    place = await reserve(unit, row.app_id, row.stream, 1)
    moved = await unit.session.scalar(
        update(DeliveryRow)
        .where(*_still_dead(row))
        .values(position=place, state=DeliveryState.PENDING, settled_at=None, failures=0, lost=0)
        .returning(DeliveryRow.id)
        .execution_options(synchronize_session=False)
    )
    unit.after_commit(outbox.wake.set)
    return moved is not None


async def _dead(session: AsyncSession, delivery_id: str) -> DeliveryRow:
    row = await session.get(DeliveryRow, delivery_id)
    if row is None:
        message = "There is no such delivery."
        raise NotFound(message, code="DELIVERY_NOT_FOUND")
    if row.state is not DeliveryState.DEAD:
        raise NotDead
    return row


def _still_dead(row: DeliveryRow) -> tuple[ColumnElement[bool], ...]:
    return DeliveryRow.id == row.id, DeliveryRow.state == DeliveryState.DEAD


def _died(since: datetime, until: datetime, app_id: str | None) -> tuple[ColumnElement[bool], ...]:
    died = (
        DeliveryRow.state == DeliveryState.DEAD,
        DeliveryRow.settled_at >= since,
        DeliveryRow.settled_at <= until,
    )
    return died if app_id is None else (*died, DeliveryRow.app_id == app_id)
