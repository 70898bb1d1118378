"""What happens to windows if their room ends or people leave it."""

from sqlalchemy import select

from mymozhem.contract import CloseOn, CloseReason, RoomStatus, WindowStatus
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import WindowRow

from .close import begin_settling, close_when_all_answered
from .queries import UNDER_WAY
from .rejudge import void_unsettled


async def end_windows(transaction: RoomTransaction, status: RoomStatus) -> None:
    """Close the open windows of a room that ends; if the room is cancelled, nothing counts."""
    unsettled = (*UNDER_WAY, WindowStatus.TALLYING)
    windows = await transaction.session.scalars(
        select(WindowRow).where(
            WindowRow.room_id == transaction.room.id, WindowRow.status.in_(unsettled)
        )
    )
    for window in windows.all():
        if status is not RoomStatus.COMPLETED:
            await void_unsettled(transaction, window)
        elif window.status in UNDER_WAY:
            begin_settling(transaction, window, CloseReason.ROOM)


async def close_answered(transaction: RoomTransaction) -> None:
    """Close windows that waited only for a participant who has just left."""
    await transaction.session.flush()
    windows = await transaction.session.scalars(
        select(WindowRow).where(
            WindowRow.room_id == transaction.room.id,
            WindowRow.status == WindowStatus.OPEN,
            WindowRow.close_on.in_((CloseOn.EVERYONE, CloseOn.FIRST_RIGHT)),
        )
    )
    for window in windows.all():
        await close_when_all_answered(transaction, window)
