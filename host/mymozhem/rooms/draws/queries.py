"""Queries of draws under the room's lock, and the order in which they are committed.

A room commits one draw at a time. Hashing link `k + 1` once gives link `k`, so a later link must
not be shown before an earlier one. A waiting draw therefore waits before its link is reserved.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import DrawStatus, JsonObject, PrizeCount, PublicSource, fair
from mymozhem.errors import NotFound
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.draws import DrawRow

#: a link is reserved, so no other draw of the room may be committed
LINKED = (DrawStatus.COMMITTED, DrawStatus.DRAWN)

#: not over yet
OPEN = (DrawStatus.REQUESTED, *LINKED)


async def by_id(transaction: RoomTransaction, draw_id: str) -> DrawRow:
    """Return a draw of the room, locked; NotFound if there is none."""
    return await _one(transaction, _of_room(transaction).where(DrawRow.id == draw_id))


async def by_key(transaction: RoomTransaction, key: str) -> DrawRow:
    """Return the draw with that key, locked; NotFound if the room has none."""
    return await _one(transaction, _of_room(transaction).where(DrawRow.key == key))


async def open_draws(transaction: RoomTransaction) -> Sequence[DrawRow]:
    """Return the room's unfinished draws, locked, the oldest first."""
    query = (
        _of_room(transaction)
        .where(DrawRow.status.in_(OPEN))
        .order_by(DrawRow.created_at, DrawRow.id)
    )
    return (await transaction.session.scalars(query)).all()


async def next_to_commit(session: AsyncSession, room_id: str) -> str | None:
    """Return the id of the draw to be committed next, or None while another one is in progress.

    Held draws are skipped until an organizer has decided.
    """
    rows = await session.execute(
        select(DrawRow.id, DrawRow.status, DrawRow.held_code)
        .where(DrawRow.room_id == room_id, DrawRow.status.in_(OPEN))
        .order_by(DrawRow.created_at, DrawRow.id)
    )
    found = rows.all()
    if any(status in LINKED for _, status, _ in found):
        return None
    return next((draw_id for draw_id, _, held in found if held is None), None)


async def schedule_next(transaction: RoomTransaction) -> None:
    """Make the next draw due; call this after every step that may change which one is next."""
    await transaction.session.flush()
    draw_id = await next_to_commit(transaction.session, transaction.room.id)
    if draw_id is None:
        return
    draw = await by_id(transaction, draw_id)
    if draw.due_at is None:
        draw.due_at = transaction.now
    transaction.wake_jobs()


def schedule_now(transaction: RoomTransaction, draw: DrawRow) -> None:
    """Make this draw due now."""
    draw.due_at, draw.attempts = transaction.now, 0
    transaction.wake_jobs()


def release(draw: DrawRow, *, due_at: datetime | None = None) -> None:
    """Release the lease of a draw until the given time, or until a person or app acts."""
    draw.lease = draw.lease_until = None
    draw.due_at = due_at


def wanted_prizes(request: JsonObject) -> tuple[PrizeCount, ...] | None:
    """Return the prizes of a request; None means everything that is left."""
    prizes = request.get("prizes")
    if not isinstance(prizes, list):
        return None
    return tuple(PrizeCount.model_validate(prize) for prize in prizes)


def wanted_sources(request: JsonObject) -> tuple[PublicSource, ...]:
    """Return the public sources of a request."""
    sources = request.get("publicSources")
    found = sources if isinstance(sources, list) else []
    return tuple(PublicSource.model_validate(source) for source in found)


def formats_of(request: JsonObject) -> JsonObject:
    """Return the formats that an organizer named for public sources of a request, by name."""
    formats = request.get("formats")
    return formats if isinstance(formats, dict) else {}


def wanted_reserves(request: JsonObject) -> int:
    """Return how many people in reserve a request wants."""
    reserves = request.get("reserves", 0)
    return reserves if isinstance(reserves, int) else 0


def note_of(request: JsonObject) -> JsonObject:
    """Return the note that the app attached to its request."""
    note = request.get("data")
    return note if isinstance(note, dict) else {}


def guarantee_of(rule: fair.Rule) -> fair.Guarantee:
    """Return the guarantee that a draw with this rule has."""
    return "beacon" if rule.public_sources else "committed"


def depth_of(draw: DrawRow) -> int:
    """Return how many hooks led to the draw; what it causes counts on from there."""
    depth = draw.request.get("depth", 0)
    return depth if isinstance(depth, int) else 0


def _of_room(transaction: RoomTransaction) -> Select[DrawRow]:
    return select(DrawRow).where(DrawRow.room_id == transaction.room.id).with_for_update()


async def _one(transaction: RoomTransaction, query: Select[DrawRow]) -> DrawRow:
    fresh = query.execution_options(populate_existing=True)
    draw = await transaction.session.scalar(fresh)
    if draw is None:
        message = "There is no such draw in this room."
        raise NotFound(message, code="DRAW_NOT_FOUND")
    return draw
