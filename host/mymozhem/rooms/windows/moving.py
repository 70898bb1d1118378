"""The times of a window, moved; its job looks again when they are."""

from datetime import datetime
from typing import Literal

from mymozhem.contract import WindowStatus
from mymozhem.contract.events import WindowChanged
from mymozhem.errors import Conflict
from mymozhem.rooms.core.transaction import RoomWriter
from mymozhem.rooms.tables.windows import WindowRow

from .timing import LONGEST


def move_end(writer: RoomWriter, window: WindowRow, closes_at: datetime) -> None:
    """Move the end of a window that is under way; while it is paused, what is left of it.

    Conflict ENDS_TOO_LATE for one that nobody will live to see, and no calendar has room for.
    """
    if closes_at > writer.now + LONGEST:
        message = f"A window ends within {LONGEST.days} days."
        raise Conflict(message, code="ENDS_TOO_LATE")
    window.closes_at, window.close_reason = closes_at, None
    if window.status == WindowStatus.OPEN:
        window.due_at = closes_at
        window.lease = window.lease_until = None
    writer.wake_jobs()


def record_changed(
    writer: RoomWriter,
    window: WindowRow,
    reason: Literal["resumed", "extended", "changed", "downtime"],
) -> None:
    """Log the times that a window has now."""
    writer.record(
        WindowChanged(
            window_id=window.name,
            opens_at=window.opens_at,
            closes_at=window.closes_at,
            reason=reason,
        )
    )
    writer.wake_jobs()


def require(window: WindowRow, *statuses: WindowStatus) -> None:
    """Raise Conflict WINDOW_NOT_NOW where a window is in none of these statuses."""
    if window.status not in statuses:
        message = f"This cannot be done while the window is {window.status}."
        facts = {"status": window.status, "when": sorted(statuses)}
        raise Conflict(message, code="WINDOW_NOT_NOW", details=facts)
