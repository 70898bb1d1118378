"""Durable timers: set and deleted in the caller's transaction."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select

from mymozhem.contract import JsonObject
from mymozhem.errors import Conflict

from .app_calls.pending import forget
from .core.transaction import ENDED, MAX_DEPTH, RoomTransaction
from .tables.timers import TimerRow, TimerSpace

#: a timer due within this time belongs to the chain of hooks that set it
SAME_CHAIN = timedelta(seconds=1)


async def schedule(
    transaction: RoomTransaction,
    key: str,
    *,
    at: datetime | None = None,
    after_ms: int | None = None,
    payload: JsonObject,
) -> None:
    """Set the app's timer of that name, or replace it; a run that has started is discarded.

    Raises Conflict CHAIN_TOO_LONG for a timer that is due immediately after a chain of eight hooks.
    """
    _require_not_ended(transaction)
    due_at = at if at is not None else transaction.now + timedelta(milliseconds=after_ms or 0)
    depth = transaction.depth + 1 if due_at <= transaction.now + SAME_CHAIN else 0
    _check_depth(depth)
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
