"""What people may see of a draw: a view by level, and the record after its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from mymozhem.contract import DrawStatus, JsonObject, Level, fair
from mymozhem.errors import NotFound
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.draws import DrawRow, RevealMode

from .items import is_of_items, revealed_count
from .published_records import find_record, read_parts
from .queries import guarantee_of


@dataclass(frozen=True)
class VisibleDraw:
    """A draw as a level may see it.

    `picks` are those of revealed prizes; None before the first reveal and in lists. `link` is shown
    with the last prize, and so is `reserves`, which is None in lists and if none were requested.
    `items` are those of a draw of items that are revealed, None for any other and in lists.
    `public_inputs` are the accepted values of the public sources in canonical form. Only organizers
    see `held`, `rule` and `public_inputs` before the reveal, and draws that are only requested.
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
    public_inputs: tuple[str, ...] | None
    guarantee: fair.Guarantee | None
    entry_count: int
    ticket_count: int
    revealed_prizes: tuple[str, ...]
    picks: tuple[JsonObject, ...] | None
    items: tuple[str, ...] | None
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
    return _view(
        draw,
        level=level,
        picks=_public_picks(draw),
        reserves=_public_reserves(draw),
        items=_public_items(draw),
    )


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
    items: tuple[str, ...] | None = None,
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
        public_inputs=_values(draw) if over or helps else None,
        guarantee=guarantee_of(fair.Rule.model_validate(draw.rule)) if draw.rule else None,
        entry_count=draw.entry_count,
        ticket_count=draw.ticket_count,
        revealed_prizes=tuple(draw.revealed_prizes),
        picks=picks,
        items=items,
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
    """Return the published record of a draw as JSON. Raises: see `find_record`."""
    found = await find_record(services, room_id, draw_id)
    return b"".join([part async for part in read_parts(services, found)])


def _visible(room_id: str, level: Level) -> Select[DrawRow]:
    query = select(DrawRow).where(DrawRow.room_id == room_id)
    if level is Level.PUBLIC:
        query = query.where(DrawRow.status != DrawStatus.REQUESTED, DrawRow.link_index.is_not(None))
    return query


def _values(draw: DrawRow) -> tuple[str, ...] | None:
    """Return the accepted values; those from before formats may be lists of numbers."""
    if not draw.public_inputs:
        return None
    return tuple(fair.public_text(value) for value in draw.public_inputs)


def _public_picks(draw: DrawRow) -> tuple[JsonObject, ...] | None:
    picks: Sequence[JsonObject] = draw.picks or ()
    if not draw.revealed_prizes:
        return None
    return tuple(pick for pick in picks if pick["prizeId"] in draw.revealed_prizes)


def _public_items(draw: DrawRow) -> tuple[str, ...] | None:
    if not is_of_items(draw):
        return None
    return tuple(str(pick["participantId"]) for pick in (draw.picks or ())[: revealed_count(draw)])


def _public_reserves(draw: DrawRow) -> tuple[JsonObject, ...] | None:
    if draw.status is not DrawStatus.REVEALED or draw.reserves is None:
        return None
    return tuple(draw.reserves)
