"""Leases on the heads of streams; a result is written only under a valid lease (fencing).

A lease is the id of its attempt. What a late process writes under a lease that has ended, or that a
callback has ended, is dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, undefer

from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database, UnitOfWork

from . import results
from .delivery import Delivery
from .retry_schedule import Schedules
from .slots import Slots
from .tables import AttemptRow, DeliveryContextRow, DeliveryRow, DeliveryState, StreamRow


@dataclass(frozen=True)
class Claim:
    """A delivery that this process sends now; `lease` is the id of the attempt."""

    delivery: Delivery
    stream: str
    lease: str
    started_at: datetime


async def claim(
    unit: UnitOfWork, schedules: Schedules, *, span: timedelta, places: Slots
) -> list[Claim]:
    """Claim the heads of streams that are due, with leases of `span`, as far as there are slots.

    An attempt whose lease has ended is recorded as lost; a missing callback is recorded as a
    failed attempt. Either may settle a head, so fewer may be returned than were due.
    """
    due = (
        select(StreamRow)
        .where(*_due(unit.now), StreamRow.app_id.not_in(places.full()))
        .order_by(StreamRow.next_at)
        .limit(places.free)
        .with_for_update(skip_locked=True)
    )
    streams = (await unit.session.scalars(due)).all()
    claims = []
    for stream, head, context in await _heads(unit.session, streams):
        if await _is_carried(unit, schedules, stream, head) and places.take(stream.app_id):
            claims.append(_take(unit, schedules, stream, head, context, span))
    await unit.session.flush()
    return claims


async def anything_due(database: Database, places: Slots) -> bool:
    """Return whether a head is due; read first, since on SQLite every write waits for its turn."""
    now = await database.now()
    due = select(StreamRow).where(*_due(now), StreamRow.app_id.not_in(places.full()))
    async with database.read() as session:
        return bool(await session.scalar(select(due.exists())))


async def next_due(database: Database, places: Slots) -> datetime | None:
    """Return when the next head is due that has no lease and has a slot, or None."""
    async with database.read() as session:
        return await session.scalar(
            select(func.min(StreamRow.next_at)).where(
                StreamRow.lease.is_(None), StreamRow.app_id.not_in(places.full())
            )
        )


async def release(database: Database, leases: Sequence[str] | None) -> None:
    """End leases now, so that any process may claim the heads; None means all leases."""
    held = StreamRow.lease.is_not(None) if leases is None else StreamRow.lease.in_(leases)
    rows = select(StreamRow).where(held).order_by(StreamRow.stream).with_for_update()
    async with database.write() as unit:
        for row in await unit.session.scalars(rows):
            row.lease_until = unit.now - timedelta(milliseconds=1)


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(StreamRow.lease.is_(None), StreamRow.lease_until < now)
    return StreamRow.next_at <= now, free


async def _heads(
    session: AsyncSession, streams: Sequence[StreamRow]
) -> list[tuple[StreamRow, DeliveryRow, DeliveryContextRow]]:
    """Return the heads of locked streams, in the order of the streams."""
    if not streams:
        return []
    inside = aliased(DeliveryRow)
    first = (
        select(func.min(inside.position))
        .where(inside.stream == StreamRow.stream, inside.settled_at.is_(None))
        .correlate(StreamRow)
        .scalar_subquery()
    )
    found = await session.execute(
        select(DeliveryRow, DeliveryContextRow)
        .join(StreamRow, StreamRow.stream == DeliveryRow.stream)
        .join(DeliveryContextRow, DeliveryContextRow.id == DeliveryRow.context_id)
        .where(
            StreamRow.stream.in_([stream.stream for stream in streams]),
            DeliveryRow.position == first,
        )
        .options(undefer(DeliveryRow.request))
    )
    heads = {head.stream: (head, context) for head, context in found}
    for row in streams:
        if row.stream not in heads:  # everything is settled
            row.next_at = row.lease = row.lease_until = None
    return [(row, *heads[row.stream]) for row in streams if row.stream in heads]


async def _is_carried(
    unit: UnitOfWork, schedules: Schedules, stream: StreamRow, head: DeliveryRow
) -> bool:
    """Record the end of an earlier attempt; return whether the head must be sent now."""
    if stream.lease is not None:
        await results.lose(unit, stream, head)
    elif head.state is DeliveryState.ACCEPTED:
        await results.give_up_waiting(unit, stream, head, schedules)
    return head.settled_at is None and stream.next_at is not None and stream.next_at <= unit.now


def _take(
    unit: UnitOfWork,
    schedules: Schedules,
    stream: StreamRow,
    head: DeliveryRow,
    context: DeliveryContextRow,
    span: timedelta,
) -> Claim:
    attempt = AttemptRow(
        id=new_id("try"), delivery_id=head.id, number=head.attempts + 1, started_at=unit.now
    )
    unit.session.add(attempt)
    stream.lease, stream.lease_until = attempt.id, unit.now + span
    schedule = schedules.of(head.app_id, head.app_version, head.capability)
    delivery = Delivery(
        id=head.id,
        app_id=head.app_id,
        app_version=head.app_version,
        capability=head.capability,
        hook=head.hook,
        room_id=head.room_id,
        context=context.document,
        request=head.request,
        occurred_at=head.occurred_at,
        attempt=attempt.number,
        max_attempts=max(schedule.max_attempts, attempt.number),
    )
    return Claim(delivery, stream.stream, attempt.id, unit.now)
