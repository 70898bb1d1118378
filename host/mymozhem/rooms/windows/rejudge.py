"""Correct results afterwards: verdicts change, scores follow, and the log records it."""

from collections.abc import Mapping

from mymozhem.contract import JsonObject, Verdict, Verdicts, WindowStatus
from mymozhem.contract.events import WindowCorrected
from mymozhem.errors import Conflict, NotFound
from mymozhem.manifests.validators import SchemaRefused, compile_schema
from mymozhem.rooms.app_calls.pending import forget
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import WindowRow

from .open import MAX_PART_BYTES, check_size
from .queries import UNDER_WAY, counting_submissions
from .rules import Rules
from .settle import by_id, publish
from .text_folding import fold_rules
from .timing import REVEALED_AFTER


async def rejudge(
    transaction: RoomTransaction,
    window: WindowRow,
    *,
    rules: JsonObject | None = None,
    verdicts: Verdicts | None = None,
) -> None:
    """Judge a closed window again, by new rules or by verdicts of single submissions.

    A void window counts again. Raises Conflict WINDOW_NOT_CLOSED before it is settled,
    SCHEMA_REFUSED for rules that cannot be used, TooLarge for too many, and NotFound for a
    submission of another window.
    """
    if window.settled_at is None:
        message = "The window is not closed yet; there is nothing to correct."
        raise Conflict(message, code="WINDOW_NOT_CLOSED")
    if rules is not None:
        window.rules = _usable(window, rules)
    named = by_id(verdicts)
    await _judge_again(transaction, window, named, by_rules=rules is not None)
    if window.status == WindowStatus.VOID and window.revealed_at is None:
        window.due_at = transaction.now + REVEALED_AFTER
        transaction.wake_jobs()
    window.status = WindowStatus.CLOSED
    await _correct(transaction, window)


async def void(transaction: RoomTransaction, window: WindowRow) -> None:
    """Void a window, so that it gives no points; also before it is closed. Idempotent."""
    if window.status == WindowStatus.VOID:
        return
    if window.settled_at is None:
        window.closed_at = window.closed_at or transaction.now
        await forget(transaction.session, [window.id])
    window.due_at = window.paused_at = window.lease = window.lease_until = None
    window.status = WindowStatus.VOID
    await _correct(transaction, window)


async def void_unsettled(transaction: RoomTransaction, window: WindowRow) -> None:
    """Void a window that is not settled; leave a settled one unchanged."""
    if window.status in (*UNDER_WAY, WindowStatus.TALLYING):
        await void(transaction, window)


async def _judge_again(
    transaction: RoomTransaction,
    window: WindowRow,
    named: Mapping[str, tuple[Verdict, int]],
    *,
    by_rules: bool,
) -> None:
    missing, found = set(named), Rules(window)
    erasable = not compile_schema(window.accepts).is_valid(None)
    async for rows in counting_submissions(transaction.session, window):
        for row in rows:
            if by_rules and not (erasable and row.payload is None):  # what is gone stays judged
                row.verdict, row.points = found.verdict(row.payload, without=row.verdict)
            elif row.id in named:
                row.verdict, row.points = named[row.id]
            row.judged = True
            missing.discard(row.id)
    if missing:
        message = f"{min(missing)!r} is no submission that counts in this window."
        raise NotFound(message, code="SUBMISSION_NOT_FOUND")


async def _correct(transaction: RoomTransaction, window: WindowRow) -> None:
    """Log the correction; scores follow immediately unless results are held back."""
    voided = window.status == WindowStatus.VOID
    transaction.record(WindowCorrected(window_id=window.key, void=voided))
    if window.revealed_at is not None:
        await publish(transaction, window)


def _usable(window: WindowRow, rules: JsonObject) -> JsonObject:
    check_size(rules, MAX_PART_BYTES)
    try:
        folded = fold_rules(rules, window.fold, window.fold_locale)
        compile_schema(folded)
    except (SchemaRefused, ValueError) as refused:
        message = f"These rules are refused: {refused}"
        raise Conflict(message, code="SCHEMA_REFUSED") from refused
    return folded
