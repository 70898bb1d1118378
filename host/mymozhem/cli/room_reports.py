"""Rooms for operators, read directly from the tables, without secrets."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.clock import iso
from mymozhem.contract import Level
from mymozhem.rooms.core.join_code import normal_code
from mymozhem.rooms.replay import Replayed, Win
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.events import RoomEventRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from mymozhem.rooms.tables.scores import ScoreRow
from mymozhem.rooms.tables.windows import WindowRow

Document = dict[str, Any]

FORMAT = "mymozhem-room-1"
_PAGE = 1_000


async def find_room(session: AsyncSession, room: str) -> RoomRow | None:
    """Return a room by its id or its code, also a deleted one; None if missing."""
    named = or_(RoomRow.id == room, RoomRow.code == normal_code(room))
    return await session.scalar(select(RoomRow).where(named))


async def list_rooms(
    session: AsyncSession, *, status: str | None, app_id: str | None, limit: int
) -> list[Document]:
    """Return the newest rooms."""
    query = select(RoomRow).where(RoomRow.deleted_at.is_(None))
    if status is not None:
        query = query.where(RoomRow.status == status)
    if app_id is not None:
        query = query.where(RoomRow.app_id == app_id)
    newest = query.order_by(RoomRow.created_at.desc(), RoomRow.id.desc()).limit(limit)
    return [card(row) for row in await session.scalars(newest)]


async def show_room(session: AsyncSession, room: RoomRow) -> Document:
    """Return a room with its prizes, its draws and the counts of its other rows."""
    prizes = await session.scalars(
        select(PrizeRow)
        .where(PrizeRow.room_id == room.id, PrizeRow.deleted_at.is_(None))
        .order_by(PrizeRow.id)
    )
    draws = await session.scalars(
        select(DrawRow).where(DrawRow.room_id == room.id).order_by(DrawRow.created_at, DrawRow.id)
    )
    public = (WinnerRow.room_id == room.id, WinnerRow.sealed.is_(False))
    winners = await session.scalar(select(func.count()).select_from(WinnerRow).where(*public))
    return card(room) | {
        "description": room.description,
        "appManifestVersion": room.app_manifest_version,
        "anchor": room.draw_anchor,
        "events": room.last_seq,
        "winners": winners,
        "prizes": [
            {
                "id": prize.id,
                "name": prize.name,
                "quantity": prize.quantity,
                "quantityRemaining": prize.quantity_remaining,
            }
            for prize in prizes
        ],
        "draws": [
            {"id": draw.id, "key": draw.key, "status": draw.status, "held": draw.held_code}
            for draw in draws
        ],
    }


async def export_lines(session: AsyncSession, room: RoomRow) -> AsyncIterator[Document]:
    """Yield the room, every entry of its log, and last the state in its tables."""
    yield {"format": FORMAT, "room": card(room) | {"anchor": room.draw_anchor}}
    after = 0
    while True:
        rows = await session.scalars(
            select(RoomEventRow)
            .where(RoomEventRow.room_id == room.id, RoomEventRow.seq > after)
            .order_by(RoomEventRow.seq)
            .limit(_PAGE)
        )
        page = rows.all()
        for row in page:
            yield _entry(row)
        if len(page) < _PAGE:
            break
        after = page[-1].seq
    yield {"end": as_json(await stored(session, room))}


async def stored(session: AsyncSession, room: RoomRow) -> Replayed:
    """Return the state of a room in its tables, in the form of a replayed log."""
    wins = await session.scalars(
        select(WinnerRow).where(WinnerRow.room_id == room.id, WinnerRow.sealed.is_(False))
    )
    scores = await session.execute(
        select(ScoreRow.participant_id, func.sum(ScoreRow.points))
        .where(ScoreRow.room_id == room.id, ScoreRow.sealed.is_(False))
        .group_by(ScoreRow.participant_id)
    )
    owned = await session.scalars(select(ParticipantRow).where(ParticipantRow.room_id == room.id))
    state = await session.get(RoomStateRow, room.id)
    found = Replayed(events=room.last_seq, status=room.status, people=room.active_count)
    found.wins = {
        row.id: Win(row.participant_id, row.prize_id, row.draw_id, row.status) for row in wins
    }
    found.scores.update({participant: int(points) for participant, points in scores})
    found.own = {row.id: row.own for row in owned if row.own}
    windows = await session.scalars(select(WindowRow).where(WindowRow.room_id == room.id))
    found.windows = {row.key: row.status for row in windows}
    if state is not None:
        found.state = {str(level): getattr(state, level) for level in Level}
    return found


def as_json(room: Replayed) -> Document:
    """Return a replayed room as JSON; without draws, whose sealed steps have no entry."""
    known: Document = asdict(room)
    known.pop("draws")
    known["own"] = {person: own for person, own in known["own"].items() if own}
    # `asdict` would copy the counter from its items
    known["scores"] = {person: points for person, points in room.scores.items() if points}
    return known


def card(room: RoomRow) -> Document:
    """Return the fields that identify a room."""
    return {
        "id": room.id,
        "name": room.name,
        "code": room.code,
        "status": room.status,
        "appId": room.app_id,
        "participantCount": room.active_count,
        "createdAt": iso(room.created_at),
        "deletedAt": iso(room.deleted_at) if room.deleted_at else None,
    }


def _entry(row: RoomEventRow) -> Document:
    return {
        "seq": row.seq,
        "stream": row.stream,
        "streamNo": row.stream_no,
        "type": row.type,
        "payload": row.payload,
        "actorId": row.actor_id,
        "at": iso(row.created_at),
        "schemaVersion": row.schema_version,
        "afterEnd": row.after_end,
    }
