"""The times of a window: what remains, and how they move. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mymozhem.clock import iso
from mymozhem.contract import WindowStatus
from mymozhem.contract.events import WindowChanged
from mymozhem.errors import Conflict
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import WindowRow

#: how long results wait for somebody to reveal them
REVEALED_AFTER = timedelta(minutes=10)

#: pauses that a window remembers, for submissions that arrived before them
MAX_PAUSES = 20

#: how far away the end of a window may be moved
LONGEST = timedelta(days=3_660)


def milliseconds(span: timedelta) -> int:
    """Return whole milliseconds of a span, rounded down."""
    return span // timedelta(milliseconds=1)


@dataclass(frozen=True)
class Arrival:
    """How a moment counts in a window.

    `elapsed_ms` are the milliseconds from the opening, without the pauses before the moment;
    negative before the opening.
    """

    elapsed_ms: int
    is_late: bool
    is_paused: bool


def locate(window: WindowRow, moment: datetime) -> Arrival:
    """Return how a moment counts, by the pauses before it, however many have followed since.

    What arrived while the host could not reach its database counts as if it had come right before.
    """
    paused = window.paused_at is not None and moment >= window.paused_at
    later = timedelta()
    for since, until, kind in reversed(_pauses(window)):
        if moment >= until:
            break
        later += until - since
        if moment >= since:
            paused = paused or kind == "pause"
            moment = since
    elapsed = milliseconds(moment + later - window.opens_at)
    late = window.closes_at is not None and moment + later >= window.closes_at
    return Arrival(elapsed, late, paused)


def left_ms(window: WindowRow, now: datetime) -> int | None:
    """Return the remaining time, also after a pause; None without an end."""
    if window.closes_at is None:
        return None
    since = max(window.paused_at or now, window.opens_at)
    return max(0, milliseconds(window.closes_at - since))


def shift(
    window: WindowRow, since: datetime, until: datetime, kind: Literal["pause", "downtime"]
) -> None:
    """Move opening and end by a time in which nobody could submit, and remember when that was."""
    span = until - since
    window.opens_at += span
    if window.closes_at is not None:
        window.closes_at += span
    window.pauses = [*window.pauses, [iso(since), iso(until), kind]][-MAX_PAUSES:]


def move(window: WindowRow, jump: timedelta) -> None:
    """Move all times of a window that is not over, because the clock has jumped."""
    for name in ("opens_at", "closes_at", "paused_at", "checked_at", "due_at"):
        moment: datetime | None = getattr(window, name)
        if moment is not None:
            setattr(window, name, moment + jump)
    window.pauses = [
        [iso(since + jump), iso(until + jump), kind] for since, until, kind in _pauses(window)
    ]


def _pauses(window: WindowRow) -> list[tuple[datetime, datetime, str]]:
    moment = datetime.fromisoformat
    return [(moment(since), moment(until), kind) for since, until, kind in window.pauses]


def move_end(transaction: RoomTransaction, window: WindowRow, closes_at: datetime) -> None:
    """Move the end of an open window, or the remaining time of a paused one.

    Raises Conflict ENDS_TOO_LATE for an end that is too far in the future.
    """
    if closes_at > transaction.now + LONGEST:
        message = f"A window ends within {LONGEST.days} days."
        raise Conflict(message, code="ENDS_TOO_LATE")
    window.closes_at, window.close_reason = closes_at, None
    if window.status == WindowStatus.OPEN:
        window.due_at = closes_at
        window.lease = window.lease_until = None
    transaction.wake_jobs()


def record_changed(
    transaction: RoomTransaction,
    window: WindowRow,
    reason: Literal["resumed", "extended", "changed", "downtime"],
) -> None:
    """Log the current times of a window."""
    transaction.record(
        WindowChanged(
            window_id=window.key,
            opens_at=window.opens_at,
            closes_at=window.closes_at,
            reason=reason,
        )
    )
    transaction.wake_jobs()


def require(window: WindowRow, *statuses: WindowStatus) -> None:
    """Raise Conflict WINDOW_NOT_NOW if a window has none of these statuses."""
    if window.status not in statuses:
        message = f"This cannot be done while the window is {window.status}."
        facts = {"status": window.status, "when": sorted(statuses)}
        raise Conflict(message, code="WINDOW_NOT_NOW", details=facts)
