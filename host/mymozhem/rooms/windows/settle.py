"""Settle windows: verdicts, points, scores, and when they become visible."""

from collections import Counter
from collections.abc import Mapping, Sequence

from mymozhem.contract import DecidedBy, Judge, Results, Verdict, Verdicts, WindowStatus
from mymozhem.contract.events import WindowClosed, WindowRevealed
from mymozhem.errors import Conflict
from mymozhem.rooms import scores
from mymozhem.rooms.app_calls.pending import forget
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

from .close import tell_app
from .queries import count, counting_submissions
from .rules import Rules
from .timing import REVEALED_AFTER

#: what stands beside points that came from a window
REASON = "window"


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
    shown = window.revealed_at is not None  # its app may have revealed it just now
    named, rules = by_id(verdicts), Rules(window)
    deltas: Counter[str] = Counter()
    async for rows in counting_submissions(transaction.session, window):
        for row in rows:
            row.verdict, row.points = named.get(row.id) or _own_verdict(window, rules, row)
            row.judged = True
        if shown:
            _credit(window, rows, deltas)
    if shown:
        await _publish(transaction, window, deltas)
    elif window.status != WindowStatus.VOID:
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
    window.revealed_at = transaction.now
    window.due_at = window.lease = window.lease_until = None
    transaction.record(WindowRevealed(window_id=window.key))
    await publish(transaction, window)


async def publish(transaction: RoomTransaction, window: WindowRow) -> None:
    """Update the scores to the window's current points, with a delta per participant."""
    deltas: Counter[str] = Counter()
    async for rows in counting_submissions(transaction.session, window):
        _credit(window, rows, deltas)
    await _publish(transaction, window, deltas)


async def _publish(
    transaction: RoomTransaction, window: WindowRow, deltas: Mapping[str, int]
) -> None:
    await scores.unseal(transaction, window.id, window_key=window.key)
    await scores.credit(
        transaction, deltas, window_id=window.id, window_key=window.key, reason=REASON
    )
    await scores.announce(transaction, shown=window.announce_standings)


def by_id(verdicts: Verdicts | None) -> dict[str, tuple[Verdict, int]]:
    """Return verdicts and points by submission id."""
    if verdicts is None:
        return {}
    given = zip(verdicts.verdict, verdicts.points, strict=True)
    return dict(zip(verdicts.submission_id, given, strict=True))


def _own_verdict(window: WindowRow, rules: Rules, row: SubmissionRow) -> tuple[Verdict, int]:
    if row.judged and window.judge != Judge.CLOSE:
        return row.verdict, row.points
    failed = window.decided_by is not DecidedBy.APP
    return rules.verdict(row.payload, without=Verdict.PENDING if failed else Verdict.NONE)


def _credit(window: WindowRow, rows: Sequence[SubmissionRow], deltas: Counter[str]) -> None:
    """Store the current points of submissions, and add the difference per participant."""
    for row in rows:
        given = 0 if window.status == WindowStatus.VOID else row.points
        if given != row.credited:
            deltas[row.participant_id] += given - row.credited
            row.credited = given


async def settle_without_app(transaction: RoomTransaction, window: WindowRow) -> None:
    """Settle a window that waits for its app by the host's own verdicts."""
    await record_closed(transaction, window, DecidedBy.PLATFORM)
    await settle(transaction, window, None)
    tell_app(transaction, window, "settled")
