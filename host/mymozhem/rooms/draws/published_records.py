"""Published records: stored once, when a draw ends, and read without computing anything.

They outlive the draw and its room. So a reader needs neither, and cannot slow down a draw.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, insert, select

from mymozhem.clock import iso
from mymozhem.contract import DrawStatus, JsonObject, fair
from mymozhem.errors import NotFound
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.draws import DrawRecordPartRow, DrawRecordRow, DrawRow

from .queries import guarantee_of
from .record_bytes import build_record, in_parts


@dataclass(frozen=True)
class PublishedRecord:
    """A stored record; its bytes are read part by part."""

    draw_id: str
    digest: str
    size: int


async def publish(transaction: RoomTransaction, draw: DrawRow) -> None:
    """Store the record of a draw that has just been revealed, or voided after its commit."""
    rule = fair.Rule.model_validate(draw.rule)
    members = await _members(transaction, draw, rule)
    texts = await _stored_texts(transaction, draw, rule)
    entries = texts.pop("entries")
    built = await asyncio.to_thread(build_record, members, texts, entries)
    transaction.session.add(
        DrawRecordRow(
            draw_id=draw.id,
            room_id=draw.room_id,
            status=draw.status,
            digest=built.digest,
            size=built.size,
            published_at=transaction.now,
        )
    )
    await transaction.session.flush()
    for number, content in enumerate(in_parts(built.pieces)):
        row = {"draw_id": draw.id, "number": number, "content": content}
        await transaction.session.execute(insert(DrawRecordPartRow), row)


async def find_record(services: Services, room_id: str, draw_id: str) -> PublishedRecord:
    """Return the record of a finished draw; NotFound before, and for a draw never committed."""
    async with services.database.read() as session:
        row = await session.get(DrawRecordRow, draw_id)
    if row is None or row.room_id != room_id:
        message = "This draw has no record (yet); it is published with the last winner."
        raise NotFound(message, code="RECORD_NOT_FOUND")
    return PublishedRecord(row.draw_id, row.digest, row.size)


async def read_parts(services: Services, record: PublishedRecord) -> AsyncIterator[bytes]:
    """Yield the bytes of a record, each part in a read of its own, however slow the reader is."""
    number = 0
    while True:
        async with services.database.read() as session:
            part = await session.get(DrawRecordPartRow, (record.draw_id, number))
        if part is None:
            return
        yield part.content
        number += 1


async def _members(transaction: RoomTransaction, draw: DrawRow, rule: fair.Rule) -> JsonObject:
    room = transaction.room
    voided = draw.status is DrawStatus.VOIDED
    moments = {
        "anchored": room.created_at,
        "committed": draw.committed_at,
        "drawn": draw.drawn_at,
        "revealed": draw.revealed_at,
        "voided": draw.voided_at,
    }
    members: JsonObject = {
        "format": fair.FORMAT,
        "room": room.id,
        "draw": draw.id,
        "voidedDraws": await _voided_before(transaction, draw),
        "chain": {"anchor": room.draw_anchor, "index": draw.link_index, "link": draw.link},
        "entriesDigest": draw.entries_digest,
        "ruleDigest": draw.rule_digest,
        "guarantee": guarantee_of(rule),
        "verifiable": rule.algorithm != "app" or draw.decided_by == "platform",
        "at": {name: iso(moment) for name, moment in moments.items() if moment is not None},
    }
    if voided:
        members |= {"status": "voided", "reason": draw.void_reason, "picks": []}
    return members


async def _voided_before(transaction: RoomTransaction, draw: DrawRow) -> int:
    """Return how many draws of the room were voided before this one, after their commit.

    Draws that were only requested used no link, and nothing of them was published.
    """
    earlier = select(func.count()).where(
        DrawRow.room_id == draw.room_id,
        DrawRow.status == DrawStatus.VOIDED,
        DrawRow.link_index < draw.link_index,
    )
    return await transaction.session.scalar(earlier) or 0


async def _stored_texts(
    transaction: RoomTransaction, draw: DrawRow, rule: fair.Rule
) -> dict[str, str]:
    """Return the large members as text, so that a million entries are not parsed."""
    columns: dict[str, Any] = {
        "entries": DrawRow.entries,
        "rule": DrawRow.rule,
        "publicInputs": DrawRow.public_inputs,
    }
    if draw.status is not DrawStatus.VOIDED:
        columns["picks"] = DrawRow.picks
        if rule.reserves:
            columns["reserves"] = DrawRow.reserves
    await transaction.session.flush()
    query = select(*(cast(column, Text) for column in columns.values())).where(
        DrawRow.id == draw.id
    )
    found = (await transaction.session.execute(query)).one()
    return {name: text or "[]" for name, text in zip(columns, found, strict=True)}
