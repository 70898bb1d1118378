"""Correct results afterwards: verdicts change, scores follow, and the log records it."""

from collections.abc import Collection

from sqlalchemy import select

from mymozhem.contract import JsonObject, Verdicts, WindowStatus
from mymozhem.contract.events import WindowCorrected
from mymozhem.errors import Conflict, NotFound
from mymozhem.manifests.validators import SchemaRefused, compile_schema
from mymozhem.rooms.app_calls.pending import forget
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.results import Judging
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

from .open import MAX_PART_BYTES, check_size
from .queries import IDS_AT_ONCE, UNDER_WAY
from .results import finish_results, write_results
from .settle import by_id
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
    await finish_results(transaction, window)
    if rules is not None:
        window.rules = _usable(window, rules)
    named = by_id(verdicts)
    await _require_counting(transaction, window, named)
    if window.status == WindowStatus.VOID and window.revealed_at is None:
        window.due_at = transaction.now + REVEALED_AFTER
        transaction.wake_jobs()
    window.status = WindowStatus.CLOSED
    transaction.record(WindowCorrected(window_id=window.key, void=False))
    judging = Judging.NAMED if rules is None else Judging.RULES
    await write_results(transaction, window, judging, named)


async def void(transaction: RoomTransaction, window: WindowRow) -> None:
    """Void a window, so that it gives no points; also before it is closed. Idempotent."""
    if window.status == WindowStatus.VOID:
        return
    await finish_results(transaction, window)
    if window.settled_at is None:
        window.closed_at = window.closed_at or transaction.now
        await forget(transaction.session, [window.id])
    window.due_at = window.paused_at = window.lease = window.lease_until = None
    window.status = WindowStatus.VOID
    transaction.record(WindowCorrected(window_id=window.key, void=True))
    if window.revealed_at is not None:
        await write_results(transaction, window, Judging.KEEP)


async def void_unsettled(transaction: RoomTransaction, window: WindowRow) -> None:
    """Void a window that is not settled; leave a settled one unchanged."""
    if window.status in (*UNDER_WAY, WindowStatus.TALLYING):
        await void(transaction, window)


async def _require_counting(
    transaction: RoomTransaction, window: WindowRow, named: Collection[str]
) -> None:
    """Raise NotFound if one of the named submissions does not count in the window."""
    wanted = sorted(named)
    missing = set(wanted)
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = SubmissionRow.id.in_(wanted[start : start + IDS_AT_ONCE])
        found = await transaction.session.scalars(
            select(SubmissionRow.id).where(
                SubmissionRow.window_id == window.id, SubmissionRow.counts, some
            )
        )
        missing.difference_update(found)
    if missing:
        message = f"{min(missing)!r} is no submission that counts in this window."
        raise NotFound(message, code="SUBMISSION_NOT_FOUND")


def _usable(window: WindowRow, rules: JsonObject) -> JsonObject:
    check_size(rules, MAX_PART_BYTES)
    try:
        folded = fold_rules(rules, window.fold, window.fold_locale)
        compile_schema(folded)
    except (SchemaRefused, ValueError) as refused:
        message = f"These rules are refused: {refused}"
        raise Conflict(message, code="SCHEMA_REFUSED") from refused
    return folded
