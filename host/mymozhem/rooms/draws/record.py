"""What people may see of a draw: a view by level, and the public record after the reveal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from mymozhem.clock import iso
from mymozhem.contract import DrawStatus, JsonObject, Level, fair
from mymozhem.errors import NotFound
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.draws import DrawRow, RevealMode
from mymozhem.rooms.tables.rooms import RoomRow

from .reveal import guarantee_of

RECORD_MEMBERS = ("entries", "rule", "publicInputs", "picks", "reserves")


@dataclass(frozen=True)
class VisibleDraw:
    """A draw as a level may see it.

    `picks` are those of revealed prizes; None before the first reveal and in lists. `link` is shown
    with the last prize, and so is `reserves`, which is None in lists and if none were requested.
    Only organizers see `held`, `rule` before the reveal, and draws that are only requested.
    """

    id: str
    key: str
    status: DrawStatus
    run: bool
    reveal: RevealMode
    replaces: str | None
    link_index: int | None
    entries_digest: str | None
    rule_digest: str | None
    rule_text: str
    rule: JsonObject | None
    guarantee: fair.Guarantee | None
    entry_count: int
    ticket_count: int
    revealed_prizes: tuple[str, ...]
    picks: tuple[JsonObject, ...] | None
    reserves: tuple[JsonObject, ...] | None
    link: str | None
    void_reason: str | None
    held_code: str | None
    held_message: str | None
    created_at: datetime
    committed_at: datetime | None
    drawn_at: datetime | None
    revealed_at: datetime | None
    voided_at: datetime | None


async def find_draw(
    session: AsyncSession, room_id: str, draw_id: str, *, level: Level
) -> VisibleDraw:
    """Return a draw as this level may see it; NotFound if it may see none."""
    query = _visible(room_id, level).options(undefer(DrawRow.picks), undefer(DrawRow.reserves))
    draw = await session.scalar(query.where(DrawRow.id == draw_id))
    if draw is None:
        raise NotFound("There is no such draw in this room.", code="DRAW_NOT_FOUND")
    return _view(draw, level=level, picks=_public_picks(draw), reserves=_public_reserves(draw))


async def list_draws(
    session: AsyncSession, room_id: str, *, level: Level, offset: int = 0, limit: int = 100
) -> tuple[list[VisibleDraw], int]:
    """Return a room's draws without picks, the newest first, and their number for this level.

    Picks are left out because a hundred draws may have ten thousand each.
    """
    found = _visible(room_id, level)
    total = await session.scalar(select(func.count()).select_from(found.subquery()))
    rows = await session.scalars(
        found.order_by(DrawRow.created_at.desc(), DrawRow.id.desc()).offset(offset).limit(limit)
    )
    return [_view(draw, level=level, picks=None) for draw in rows], total or 0


def _view(
    draw: DrawRow,
    *,
    level: Level,
    picks: tuple[JsonObject, ...] | None,
    reserves: tuple[JsonObject, ...] | None = None,
) -> VisibleDraw:
    """Return what a level may see of a draw, with the people that everybody may see."""
    over = draw.status in (DrawStatus.REVEALED, DrawStatus.VOIDED)
    helps = level is not Level.PUBLIC
    return VisibleDraw(
        id=draw.id,
        key=draw.key,
        status=draw.status,
        run=draw.run,
        reveal=draw.reveal,
        replaces=draw.replaces,
        link_index=draw.link_index,
        entries_digest=draw.entries_digest,
        rule_digest=draw.rule_digest,
        rule_text=draw.rule_text,
        rule=draw.rule if over or helps else None,
        guarantee=guarantee_of(fair.Rule.model_validate(draw.rule)) if draw.rule else None,
        entry_count=draw.entry_count,
        ticket_count=draw.ticket_count,
        revealed_prizes=tuple(draw.revealed_prizes),
        picks=picks,
        reserves=reserves,
        link=draw.link,
        void_reason=draw.void_reason,
        held_code=draw.held_code if helps else None,
        held_message=draw.held_message if helps else None,
        created_at=draw.created_at,
        committed_at=draw.committed_at,
        drawn_at=draw.drawn_at,
        revealed_at=draw.revealed_at,
        voided_at=draw.voided_at,
    )


async def record(services: Services, room_id: str, draw_id: str) -> bytes:
    """Return the public record of a revealed draw as JSON; NotFound before, and if voided."""
    async with services.database.read() as session:
        found = (await session.execute(_recorded(room_id, draw_id))).first()
    if found is None:
        message = "This draw has no record (yet); it is published with the last winner."
        raise NotFound(message, code="RECORD_NOT_FOUND")
    draw, room, *texts = found
    parts = dict(zip(RECORD_MEMBERS, texts, strict=True))
    if not fair.Rule.model_validate(draw.rule).reserves:
        del parts["reserves"]
    return await services.compute_pool.run(
        partial(_build, _known(draw, room), parts), size=draw.entry_count
    )


def _recorded(room_id: str, draw_id: str) -> Select[Any]:
    """Select the parts of a record as text, so that a million entries are parsed only if needed."""
    columns = (
        DrawRow.entries, DrawRow.rule, DrawRow.public_inputs, DrawRow.picks, DrawRow.reserves,
    )  # fmt: skip
    labelled = [cast(column, Text).label(f"{column.key}_text") for column in columns]
    return (
        select(DrawRow, RoomRow, *labelled)  # type: ignore[return-value]  # a row of any width
        .join(RoomRow, RoomRow.id == DrawRow.room_id)
        .where(
            DrawRow.id == draw_id,
            DrawRow.room_id == room_id,
            DrawRow.status == DrawStatus.REVEALED,
            RoomRow.deleted_at.is_(None),
        )
    )


def _known(draw: DrawRow, room: RoomRow) -> JsonObject:
    rule = fair.Rule.model_validate(draw.rule)
    moments = {
        "anchored": room.created_at,
        "committed": draw.committed_at,
        "drawn": draw.drawn_at,
        "revealed": draw.revealed_at,
    }
    return {
        "format": fair.FORMAT,
        "room": room.id,
        "draw": draw.id,
        "chain": {"anchor": room.draw_anchor, "index": draw.link_index, "link": draw.link},
        "entriesDigest": draw.entries_digest,
        "ruleDigest": draw.rule_digest,
        "guarantee": guarantee_of(rule),
        "verifiable": rule.algorithm != "app" or draw.decided_by != "app",
        "at": {name: iso(moment) for name, moment in moments.items() if moment is not None},
    }


def _build(known: JsonObject, parts: dict[str, str | None]) -> bytes:
    read = {name: orjson.loads(text) if text else [] for name, text in parts.items()}
    return orjson.dumps(fair.sealed(known | read))


def _visible(room_id: str, level: Level) -> Select[DrawRow]:
    query = select(DrawRow).where(DrawRow.room_id == room_id)
    if level is Level.PUBLIC:
        query = query.where(DrawRow.status != DrawStatus.REQUESTED, DrawRow.link_index.is_not(None))
    return query


def _public_picks(draw: DrawRow) -> tuple[JsonObject, ...] | None:
    picks: Sequence[JsonObject] = draw.picks or ()
    if not draw.revealed_prizes:
        return None
    return tuple(pick for pick in picks if pick["prizeId"] in draw.revealed_prizes)


def _public_reserves(draw: DrawRow) -> tuple[JsonObject, ...] | None:
    if draw.status is not DrawStatus.REVEALED or draw.reserves is None:
        return None
    return tuple(draw.reserves)
