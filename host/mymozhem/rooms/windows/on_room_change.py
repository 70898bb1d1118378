"""What becomes of windows when their room ends, and when people leave it."""

from sqlalchemy import select

from mymozhem.contract import CloseOn, CloseReason, RoomStatus, WindowStatus
from mymozhem.rooms.core.transaction import RoomWriter
from mymozhem.rooms.tables.windows import WindowRow

from .close import begin_tally, close_when_all_answered
from .queries import UNDER_WAY
from .rejudge import void_unsettled


async def end_windows(writer: RoomWriter, status: RoomStatus) -> None:
    """Close what is open in a room that is over; in one that is called off nothing counts."""
    unsettled = (*UNDER_WAY, WindowStatus.TALLYING)
    windows = await writer.session.scalars(
        select(WindowRow).where(
            WindowRow.room_id == writer.room.id, WindowRow.status.in_(unsettled)
        )
    )
    for window in windows.all():
        if status is not RoomStatus.COMPLETED:
            await void_unsettled(writer, window)
        elif window.status in UNDER_WAY:
            begin_tally(writer, window, CloseReason.ROOM)


async def close_answered(writer: RoomWriter) -> None:
    """Close windows that waited only for somebody who has just left."""
    await writer.session.flush()
    windows = await writer.session.scalars(
        select(WindowRow).where(
            WindowRow.room_id == writer.room.id,
            WindowRow.status == WindowStatus.OPEN,
            WindowRow.close_on.in_((CloseOn.EVERYONE, CloseOn.FIRST_RIGHT)),
        )
    )
    for window in windows.all():
        await close_when_all_answered(writer, window)
