"""Close windows: after that commit nothing counts any more."""

from datetime import datetime

from mymozhem.contract import (
    Change,
    ChangeKind,
    CloseOn,
    CloseReason,
    SubmissionMode,
    WindowStatus,
)
from mymozhem.contract.events import WindowTallying
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.timers import SAME_CHAIN

from .open import check_depth
from .queries import UNDER_WAY, count_eligible, count_unanswered
from .timing import move_end, record_changed, require

#: how long a close waits for what arrived before it, in seconds
IN_FLIGHT = 0.5


def begin_settling(transaction: RoomTransaction, window: WindowRow, reason: CloseReason) -> None:
    """Stop counting; the job that settles windows wakes after the commit."""
    window.status = WindowStatus.TALLYING
    window.close_reason = reason
    window.closed_at = window.due_at = transaction.now
    window.paused_at = window.lease = window.lease_until = None
    window.attempts = 0
    transaction.record(WindowTallying(window_id=window.key, reason=reason))
    transaction.wake_jobs()


def close_soon(transaction: RoomTransaction, window: WindowRow, reason: CloseReason) -> None:
    """Let the job close a window; submissions that arrived before now still count.

    Nothing happens if it is already closed. This is for effects, which cannot wait for submissions
    in flight. A paused window resumes with no time left.
    """
    if window.status not in UNDER_WAY:
        return
    window.depth = transaction.depth + 1
    check_depth(window.depth)
    paused = window.status == WindowStatus.PAUSED
    window.status = WindowStatus.OPEN
    window.closes_at = window.paused_at or transaction.now
    window.paused_at = None
    window.due_at, window.close_reason = transaction.now, reason
    window.lease = window.lease_until = None
    if paused:
        record_changed(transaction, window, "resumed")
    transaction.wake_jobs()


def change_end(transaction: RoomTransaction, window: WindowRow, closes_at: datetime) -> None:
    """Move the end of a window as its app wants; a time in the past closes it.

    Raises Conflict WINDOW_NOT_NOW if it is already closed.
    """
    require(window, *UNDER_WAY)
    if window.paused_at is not None and closes_at <= transaction.now:
        close_soon(transaction, window, CloseReason.DEADLINE)
        return
    window.depth = transaction.depth + 1 if closes_at <= transaction.now + SAME_CHAIN else 0
    check_depth(window.depth)
    if window.paused_at is not None:  # the pause will move it on again
        closes_at -= transaction.now - window.paused_at
    move_end(transaction, window, closes_at)
    record_changed(transaction, window, "changed")


def waits_for_all(window: WindowRow) -> bool:
    """Return whether a window closes once everybody has answered.

    A window that waits for the first right answer does, too, if nobody may answer twice: then
    nobody is left who could be right.
    """
    once = window.submissions == SubmissionMode.ONCE
    first = window.close_on == CloseOn.FIRST_RIGHT and once
    return window.close_on == CloseOn.EVERYONE or first


async def close_when_all_answered(transaction: RoomTransaction, window: WindowRow) -> bool:
    """Close a window that waits for everybody if all have answered; return whether it did."""
    if not waits_for_all(window):
        return False
    people = await count_eligible(transaction.session, window)
    if (
        not people
        or window.answered < people
        or await count_unanswered(transaction.session, window)
    ):
        return False
    begin_settling(transaction, window, CloseReason.EVERYONE)
    return True


def tell_app(transaction: RoomTransaction, window: WindowRow, what: str) -> None:
    """Notify the app of a change of a window that it did not cause."""
    transaction.changed(Change(kind=ChangeKind.WINDOW, what=what, window_id=window.key))
