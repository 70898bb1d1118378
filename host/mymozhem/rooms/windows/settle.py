"""Settle windows: verdicts, points, scores, and when they become visible."""

from mymozhem.contract import DecidedBy, Results, Verdict, Verdicts, WindowStatus
from mymozhem.contract.events import WindowClosed, WindowRevealed
from mymozhem.errors import Conflict
from mymozhem.rooms.app_calls.pending import forget
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.results import Judging
from mymozhem.rooms.tables.windows import WindowRow

from .close import tell_app
from .queries import count
from .results import finish_results, write_results
from .timing import REVEALED_AFTER


async def record_closed(
    transaction: RoomTransaction, window: WindowRow, decided_by: DecidedBy
) -> None:
    """Log that a window is settled; the app's effects on it come after this entry."""
    number = await count(transaction.session, window)
    if window.attempts:
        await forget(transaction.session, [window.id])
    window.status = WindowStatus.CLOSED
    window.decided_by = decided_by
    window.settled_at = transaction.now
    window.due_at = window.lease = window.lease_until = window.last_error = None
    reason = window.close_reason
    if reason is None:
        message = "a window without a reason was settled"
        raise RuntimeError(message)
    transaction.record(
        WindowClosed(window_id=window.key, reason=reason, counted=number, decided_by=decided_by)
    )


async def settle(
    transaction: RoomTransaction, window: WindowRow, verdicts: Verdicts | None
) -> None:
    """Fix verdicts and points, and show them unless they are held back.

    Submissions that `verdicts` leaves out keep their verdict: the app's own, else that of the
    rules.
    """
    if window.results == Results.ON_CLOSE:
        window.revealed_at = transaction.now
    await write_results(transaction, window, Judging.SETTLE, by_id(verdicts))
    if window.revealed_at is None and window.status != WindowStatus.VOID:
        window.due_at = transaction.now + REVEALED_AFTER
        transaction.wake_jobs()


async def reveal(transaction: RoomTransaction, window: WindowRow) -> None:
    """Show the verdicts and standings that a window held back; idempotent.

    Raises Conflict if the window is not closed yet.
    """
    if window.revealed_at is not None:
        return
    if window.status != WindowStatus.CLOSED:
        message = "The window is not closed yet; there is nothing to reveal."
        raise Conflict(message, code="WINDOW_NOT_CLOSED")
    await finish_results(transaction, window)
    window.revealed_at = transaction.now
    window.due_at = window.lease = window.lease_until = None
    transaction.record(WindowRevealed(window_id=window.key))
    await write_results(transaction, window, Judging.KEEP)


def by_id(verdicts: Verdicts | None) -> dict[str, tuple[Verdict, int]]:
    """Return verdicts and points by submission id."""
    if verdicts is None:
        return {}
    given = zip(verdicts.verdict, verdicts.points, strict=True)
    return dict(zip(verdicts.submission_id, given, strict=True))


async def settle_without_app(transaction: RoomTransaction, window: WindowRow) -> None:
    """Settle a window that waits for its app by the host's own verdicts."""
    await record_closed(transaction, window, DecidedBy.PLATFORM)
    await settle(transaction, window, None)
    tell_app(transaction, window, "settled")
