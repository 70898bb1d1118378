"""Durable timers: set and deleted in the caller's transaction."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, delete, select

from mymozhem.contract import JsonObject
from mymozhem.contract.hooks import ON_TIMER
from mymozhem.errors import Conflict
from mymozhem.observability.call_observer import AppReport

from .app_calls.pending import forget
from .coordination.timer_rates import MAX_TIMERS, SPAN, TimersTooOften
from .core.transaction import ENDED, MAX_DEPTH, RoomTransaction
from .tables.timers import TimerRow, TimerSpace

logger = structlog.stdlib.get_logger(__name__)

#: a window that ends within this time belongs to the chain of hooks that set its end
SAME_CHAIN = timedelta(milliseconds=100)


async def schedule(
    transaction: RoomTransaction,
    key: str,
    *,
    at: datetime | None = None,
    after_ms: int | None = None,
    payload: JsonObject,
) -> None:
    """Set the app's timer of that name, or replace it; a run that has started is discarded.

    A timer that waits at all starts a new chain of hooks. Raises Conflict CHAIN_TOO_LONG for one
    that is due immediately after a chain of eight hooks, and TimersTooOften if the room's timers
    would fire more than ten times in a second; then operators are shown the app.
    """
    _require_not_ended(transaction)
    due_at = at if at is not None else transaction.now + timedelta(milliseconds=after_ms or 0)
    depth = transaction.depth + 1 if due_at <= transaction.now else 0
    _check_depth(depth)
    await _check_rate(transaction, key, max(due_at, transaction.now))
    row = await _find(transaction, key)
    if row is None:
        row = TimerRow(
            room_id=transaction.room.id, space=TimerSpace.APP, key=key, generation=0, attempts=0
        )
        transaction.session.add(row)
    elif row.attempts:
        await forget(transaction.session, [row.id])
    row.generation += 1
    row.due_at = row.next_at = due_at
    row.relative = at is None
    row.payload, row.depth, row.attempts = payload, depth, 0
    row.lease = row.lease_until = row.last_error = None
    await transaction.session.flush()
    transaction.wake_jobs()


async def cancel(transaction: RoomTransaction, key: str) -> None:
    """Delete the app's timer of that name, if there is one."""
    await _drop(transaction, TimerRow.key == key)


async def drop_all(transaction: RoomTransaction) -> None:
    """Delete all timers of the app, because the room has ended."""
    await _drop(transaction)


async def _drop(transaction: RoomTransaction, *which: ColumnElement[bool]) -> None:
    mine = (TimerRow.room_id == transaction.room.id, TimerRow.space == TimerSpace.APP, *which)
    await forget(transaction.session, select(TimerRow.id).where(*mine))
    await transaction.session.execute(delete(TimerRow).where(*mine))


async def _check_rate(transaction: RoomTransaction, key: str, due_at: datetime) -> None:
    room, services = transaction.room, transaction.services
    waiting = await transaction.session.scalars(
        select(TimerRow.due_at).where(
            TimerRow.room_id == room.id,
            TimerRow.space == TimerSpace.APP,
            TimerRow.key != key,
            TimerRow.due_at > due_at - SPAN,
            TimerRow.due_at < due_at + SPAN,
        )
    )
    try:
        services.timer_rates.check(room.id, due_at, waiting)
    except TimersTooOften as refused:
        services.report_app(
            AppReport(room.app_id, room.app_manifest_version, ON_TIMER.capability, refused.code)
        )
        logger.warning(
            "an app wants too many timers", app=room.app_id, version=room.app_manifest_version,
            room=room.id, timer=key, limit=MAX_TIMERS,
        )  # fmt: skip
        raise


async def _find(transaction: RoomTransaction, key: str) -> TimerRow | None:
    rows = await transaction.session.scalars(
        select(TimerRow).where(
            TimerRow.room_id == transaction.room.id,
            TimerRow.space == TimerSpace.APP,
            TimerRow.key == key,
        )
    )
    return rows.one_or_none()


def _require_not_ended(transaction: RoomTransaction) -> None:
    if transaction.room.status in ENDED:
        message = "The room has ended; no timer can be set."
        raise Conflict(message, code="ROOM_ENDED")


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        message = f"More than {MAX_DEPTH} hooks have caused one another; set the timer for later."
        raise Conflict(message, code="CHAIN_TOO_LONG")
