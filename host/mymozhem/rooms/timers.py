"""Durable timers: set and dropped in the transaction that wants them."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select

from mymozhem.contract import JsonObject
from mymozhem.errors import Conflict

from .app_calls.pending import forget
from .core.transaction import ENDED, MAX_DEPTH, RoomWriter
from .tables.timers import TimerRow, TimerSpace

#: a timer due within this time belongs to the chain of hooks that set it
SAME_CHAIN = timedelta(seconds=1)


async def schedule(
    writer: RoomWriter,
    name: str,
    *,
    at: datetime | None = None,
    after_ms: int | None = None,
    payload: JsonObject,
) -> None:
    """Set the app's timer of that name, or replace it; what fired meanwhile is then dropped.

    Conflict CHAIN_TOO_LONG for a timer that is due at once at the end of a chain of eight hooks.
    """
    _refuse_ended(writer)
    due_at = at if at is not None else writer.now + timedelta(milliseconds=after_ms or 0)
    depth = writer.depth + 1 if due_at <= writer.now + SAME_CHAIN else 0
    _refuse_endless(depth)
    row = await _find(writer, name)
    if row is None:
        row = TimerRow(
            room_id=writer.room.id, space=TimerSpace.APP, name=name, generation=0, attempts=0
        )
        writer.session.add(row)
    elif row.attempts:
        await forget(writer.session, [row.id])
    row.generation += 1
    row.due_at = row.next_at = due_at
    row.payload, row.depth, row.attempts = payload, depth, 0
    row.lease = row.lease_until = row.last_error = None
    await writer.session.flush()
    writer.wake_jobs()


async def cancel(writer: RoomWriter, name: str) -> None:
    """Drop the app's timer of that name; nothing happens where there is none."""
    await _drop(writer, TimerRow.name == name)


async def drop_all(writer: RoomWriter) -> None:
    """Drop every timer of the app's; a room that has ended wants none."""
    await _drop(writer)


async def _drop(writer: RoomWriter, *which: ColumnElement[bool]) -> None:
    mine = (TimerRow.room_id == writer.room.id, TimerRow.space == TimerSpace.APP, *which)
    await forget(writer.session, select(TimerRow.id).where(*mine))
    await writer.session.execute(delete(TimerRow).where(*mine))


async def _find(writer: RoomWriter, name: str) -> TimerRow | None:
    rows = await writer.session.scalars(
        select(TimerRow).where(
            TimerRow.room_id == writer.room.id,
            TimerRow.space == TimerSpace.APP,
            TimerRow.name == name,
        )
    )
    return rows.one_or_none()


def _refuse_ended(writer: RoomWriter) -> None:
    if writer.room.status in ENDED:
        message = "The room has ended; no timer can be set."
        raise Conflict(message, code="ROOM_ENDED")


def _refuse_endless(depth: int) -> None:
    if depth > MAX_DEPTH:
        message = f"More than {MAX_DEPTH} hooks have caused one another; set the timer for later."
        raise Conflict(message, code="CHAIN_TOO_LONG")
