"""Share parts of submissions with others, as the app that opened the window wants."""

from mymozhem.contract import Level, Share, WindowStatus
from mymozhem.contract.events import WindowShared
from mymozhem.errors import Conflict
from mymozhem.rooms.core.audiences import streams_for
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import WindowRow

_OVER = (WindowStatus.TALLYING, WindowStatus.CLOSED, WindowStatus.VOID)


async def share(transaction: RoomTransaction, window: WindowRow, effect: Share) -> None:
    """Share fields of a window's submissions with an audience; earlier shares remain.

    Raises Conflict WINDOW_NOT_CLOSED while it accepts submissions. Nothing happens for `private`:
    the host and the app see everything anyway.
    """
    if window.status not in _OVER:
        message = "Submissions are shared once the window is closed."
        raise Conflict(message, code="WINDOW_NOT_CLOSED")
    streams = await streams_for(transaction, effect.to)
    shared = [stream for stream in streams if stream != Level.PRIVATE]
    window.shared = [
        *window.shared,
        *({"to": str(stream), "fields": list(effect.fields)} for stream in shared),
    ]
    for stream in shared:
        transaction.record(WindowShared(window_id=window.key, fields=effect.fields), to=stream)
