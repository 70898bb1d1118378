"""The time of a window: what was left of it, and how it moves. Pure."""

from datetime import datetime, timedelta

from mymozhem.rooms.tables.windows import WindowRow

#: how long results wait for somebody to reveal them
REVEALED_AFTER = timedelta(minutes=10)

#: how far away the end of a window may be moved
LONGEST = timedelta(days=3_660)


def milliseconds(span: timedelta) -> int:
    """Return whole milliseconds of a span, rounded down."""
    return span // timedelta(milliseconds=1)


def elapsed_ms(window: WindowRow, moment: datetime) -> int:
    """Return the milliseconds from the opening to a moment, pauses left out; negative before."""
    return milliseconds(moment - window.opens_at)


def left_ms(window: WindowRow, now: datetime) -> int | None:
    """Return the time that is left, or that there will be after a pause; None without an end."""
    if window.closes_at is None:
        return None
    since = max(window.paused_at or now, window.opens_at)
    return max(0, milliseconds(window.closes_at - since))


def shift(window: WindowRow, span: timedelta) -> None:
    """Move opening and end by a span in which nobody could submit."""
    window.opens_at += span
    if window.closes_at is not None:
        window.closes_at += span
