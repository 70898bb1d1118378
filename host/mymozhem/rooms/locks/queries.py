"""Queries about a room's locks and what serves it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.rooms.tables.locks import RoomLockRow, RoomServedByRow
from mymozhem.rooms.tables.rooms import RoomRow


async def locks_of(session: AsyncSession, room_id: str) -> list[RoomLockRow]:
    """Return all locks of a room, the first one first."""
    rows = await session.scalars(
        select(RoomLockRow)
        .where(RoomLockRow.room_id == room_id)
        .order_by(RoomLockRow.created_at, RoomLockRow.id)
    )
    return list(rows)


async def records_of(session: AsyncSession, room: RoomRow) -> list[RoomServedByRow]:
    """Return the records of what served a room under its current lock, the oldest first."""
    rows = await session.scalars(
        select(RoomServedByRow)
        .where(RoomServedByRow.room_id == room.id, RoomServedByRow.lock_id == room.lock_id)
        .order_by(RoomServedByRow.since, RoomServedByRow.id)
    )
    return list(rows)
