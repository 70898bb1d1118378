"""Read a room's log: only what the caller's level may see, starting after an opaque cursor.

A cursor has one number for each stream that its owner may see. `seq` is never shown to callers, so
events of other levels leave no gaps that could be counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import JsonObject, Level
from mymozhem.errors import BadRequest
from mymozhem.rooms.tables.events import RoomEventRow, RoomStreamRow

from .membership import Membership
from .transaction import RoomTransaction

MAX_PAGE = 100

#: the highest number that a stream can have
LAST_NO = 2**31 - 1


@dataclass(frozen=True)
class VisibleEvent:
    """An event as one caller sees it; `cursor` is the position after it."""

    cursor: str
    type: str
    payload: JsonObject
    at: datetime
    schema_version: int
    after_end: bool


def streams_of(membership: Membership) -> tuple[str, ...]:
    """Return the streams that a caller may see, in the order of a cursor's numbers."""
    streams: tuple[str, ...] = (str(Level.PUBLIC),)
    if membership.level is Level.ORGANIZER:
        streams += (str(Level.ORGANIZER),)
    return (*streams, membership.participant_id) if membership.participant_id else streams


def epoch_of(membership: Membership) -> str:
    """Return the epoch of a caller's cursors; it changes with a restore and with their level."""
    return f"{membership.room.epoch}.{len(streams_of(membership))}{membership.level[0]}"


async def cursor_of(transaction: RoomTransaction, membership: Membership) -> str:
    """Return the caller's cursor after everything that this transaction has recorded."""
    await transaction.write_events()
    streams = streams_of(membership)
    return _write_cursor(await transaction.stream_ends(streams), streams)


async def current_cursor(session: AsyncSession, membership: Membership) -> str:
    """Return the caller's cursor at the end of the log."""
    streams = streams_of(membership)
    rows = await session.execute(
        select(RoomStreamRow.stream, RoomStreamRow.last_no).where(
            RoomStreamRow.room_id == membership.room.id, RoomStreamRow.stream.in_(streams)
        )
    )
    return _write_cursor(dict(rows.all()), streams)


async def read_events(
    session: AsyncSession, membership: Membership, *, after: str | None, limit: int = MAX_PAGE
) -> list[VisibleEvent]:
    """Return at most `limit` events after a cursor, the oldest first; None reads from the start.

    Raises BadRequest if the cursor belongs to another caller.
    """
    streams = streams_of(membership)
    numbers = read_cursor(after, streams)
    newer = [
        and_(RoomEventRow.stream == stream, RoomEventRow.stream_no > numbers[stream])
        for stream in streams
    ]
    rows = await session.scalars(
        select(RoomEventRow)
        .where(RoomEventRow.room_id == membership.room.id, or_(*newer))
        .order_by(RoomEventRow.seq)
        .limit(limit)
    )
    return [_seen(row, numbers, streams) for row in rows]


def read_cursor(text: str | None, streams: Sequence[str]) -> dict[str, int]:
    """Return the numbers of a cursor by stream; BadRequest if it does not fit the streams."""
    if text is None:
        return dict.fromkeys(streams, 0)
    words = text.split(".")
    if len(words) != len(streams) or not all(_is_number(word) for word in words):
        message = "This cursor does not fit; start again without one."
        raise BadRequest(message, code="BAD_CURSOR")
    return dict(zip(streams, map(int, words), strict=True))


def _is_number(word: str) -> bool:
    digits = len(str(LAST_NO))
    return word.isascii() and word.isdigit() and len(word) <= digits and int(word) <= LAST_NO


def _write_cursor(numbers: Mapping[str, int | None], streams: Sequence[str]) -> str:
    return ".".join(str(numbers.get(stream) or 0) for stream in streams)


def _seen(row: RoomEventRow, numbers: dict[str, int], streams: Sequence[str]) -> VisibleEvent:
    numbers[row.stream] = row.stream_no
    return VisibleEvent(
        cursor=_write_cursor(numbers, streams),
        type=row.type,
        payload=row.payload,
        at=row.created_at,
        schema_version=row.schema_version,
        after_end=row.after_end,
    )
