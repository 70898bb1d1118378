"""The six-digit code of a room: it exists while the room is active and its doors are unlocked."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import RoomStatus
from mymozhem.errors import Busy
from mymozhem.rooms.core.join_code import new_short_code
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.rooms import RoomRow

#: codes that are tried before the caller has to try again; most are free
_TRIES = 20


async def update_short_code(transaction: RoomTransaction) -> None:
    """Give an open room a code if it has none, and release the code of any other. Idempotent.

    Raises `Busy` if no free code is found.
    """
    room = transaction.room
    if room.status != RoomStatus.ACTIVE or room.doors_locked:
        room.short_code = None
        return
    if room.short_code is not None:
        return
    await transaction.session.flush()
    for _ in range(_TRIES):
        if await _take(transaction.session, room, new_short_code()):
            return
    raise Busy("No six-digit code is free at this moment; try again.", code="NO_SHORT_CODE")


async def _take(session: AsyncSession, room: RoomRow, code: str) -> bool:
    """Give a room a code; return False if another room has it."""
    if await session.scalar(select(RoomRow.id).where(RoomRow.short_code == code)) is not None:
        return False
    try:
        async with session.begin_nested():
            room.short_code = code
    except IntegrityError:  # another room took it since
        await session.refresh(room)
        return False
    return True
