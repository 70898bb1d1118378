"""Preconditions of a move: the errors for a room or a target that does not allow it."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.clock import iso
from mymozhem.contract import RoomStatus, WindowStatus
from mymozhem.errors import Conflict, Invalid, MymozhemError
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.manifest_history import Published
from mymozhem.rooms.core.transaction import ENDED
from mymozhem.rooms.draws.queries import OPEN as OPEN_DRAWS
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.windows.queries import UNDER_WAY

NOT_AUTOMATIC = "NOT_AUTOMATIC"
WINDOW_OPEN = "WINDOW_OPEN"
DRAW_OPEN = "DRAW_OPEN"

_OPEN_WINDOWS = (*UNDER_WAY, WindowStatus.TALLYING)
_SENTENCES = {
    NOT_AUTOMATIC: "its settings or state would have to be changed",
    WINDOW_OPEN: "a window is open",
    DRAW_OPEN: "a draw is not over",
}


class RoomActive(Conflict):
    """The room is running and cannot be moved now; `details.why` says why."""

    default_code = "ROOM_ACTIVE"


async def under_way(session: AsyncSession, room_id: str) -> tuple[str, ...]:
    """Return what is in progress in a room: WINDOW_OPEN, DRAW_OPEN, or nothing."""
    window = exists().where(WindowRow.room_id == room_id, WindowRow.status.in_(_OPEN_WINDOWS))
    draw = exists().where(DrawRow.room_id == room_id, DrawRow.status.in_(OPEN_DRAWS))
    found = (await session.execute(select(window, draw))).one()
    return tuple(why for why, is_so in zip((WINDOW_OPEN, DRAW_OPEN), found, strict=True) if is_so)


def of_room(room: RoomRow, why: Sequence[str]) -> tuple[MymozhemError, ...]:
    """Return the errors due to the room's status and to what is in progress in it."""
    if room.status in ENDED:
        message = "The room has ended; it keeps the version that it ran."
        return (Conflict(message, code="ROOM_ENDED", details={"status": room.status}),)
    if not why:
        return ()
    reasons = "; ".join(_SENTENCES[each] for each in why)
    wait = (
        "Wait until that is over"
        if room.status is RoomStatus.ACTIVE and _passes(why)
        else ("Move it while it is a draft")
    )
    return (
        RoomActive(f"The room cannot be moved now: {reasons}. {wait}.", details={"why": [*why]}),
    )


def _passes(why: Sequence[str]) -> bool:
    return NOT_AUTOMATIC not in why


def of_target(
    catalog: Catalog, published: Published, *, back: bool = False
) -> tuple[MymozhemError, ...]:
    """Return the errors due to the target version; a rollback (`back`) ignores a deprecation."""
    app_id, version = published.app_id, published.manifest.version
    found: list[MymozhemError] = []
    if published.deprecated_at is not None and not back:
        found.append(_deprecated(published))
    if catalog.is_stopped(app_id):
        message = "This app is stopped; ask the operator."
        found.append(Conflict(message, code="APP_STOPPED"))
    if not catalog.is_served(app_id, version):
        message = f"Nothing serves {app_id} {version}: it has no code here, and no address."
        found.append(Invalid(message, code="APP_NOT_SERVED"))
    return tuple(found)


def _deprecated(published: Published) -> Conflict:
    reason = f" {published.reason}" if published.reason else ""
    message = f"{published.app_id} {published.manifest.version} is deprecated.{reason}"
    deadline = iso(published.deadline) if published.deadline else None
    return Conflict(
        message,
        code="VERSION_DEPRECATED",
        details={"reason": published.reason, "deadline": deadline},
    )
