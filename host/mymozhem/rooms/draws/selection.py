"""The second step of a draw: select winners from what was frozen, and store them sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Text, cast, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    DecidedBy,
    DrawPrize,
    DrawStatus,
    SelectWinnersRequest,
    SelectWinnersResult,
    WinnerStatus,
    fair,
)
from mymozhem.contract.events import FallbackUsed
from mymozhem.contract.fair.model import Algorithm
from mymozhem.contract.hooks import SELECT_WINNERS
from mymozhem.db.base import new_id
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transport import AppTarget
from mymozhem.rooms import backoff
from mymozhem.rooms.leases import Work
from mymozhem.rooms.requests import build_context
from mymozhem.rooms.services import Services
from mymozhem.rooms.tables import DrawRow, PrizeRow, RevealMode, RoomRow, WinnerRow
from mymozhem.rooms.writer import RoomWriter, write_room

from . import drawing
from .picks import PickDocument, Ready, app_picks, check_picks, compute, read_entries, seed_of
from .revealing import reveal
from .rows import by_id, depth_of, put_down
from .sealing import link_of

ROWS_AT_ONCE = 2_000

Answer = Outcome[SelectWinnersResult]


@dataclass(frozen=True)
class Committed:
    """A committed draw with its room and its stored entries."""

    draw: DrawRow
    room: RoomRow
    entries: str


@dataclass(frozen=True)
class Decided:
    """The picks of a draw; None where the app is to be asked again later."""

    picks: list[PickDocument] | None
    by: DecidedBy
    outcome: Answer | None = None


async def select_winners(services: Services, work: Work) -> None:
    """Draw a committed draw that is to be run; where it is revealed at once, that too."""
    seen = await _look(services, work)
    if seen is None:
        await _put_down(services, work)
        return
    ready = await _ready(services, seen)
    await _write(services, work, seen.draw, await _decide(services, seen, ready))


async def _look(services: Services, work: Work) -> Committed | None:
    async with services.database.read() as session:
        draw = await session.get(DrawRow, work.row_id)
        if draw is None or draw.lease != work.lease or not is_runnable(draw):
            return None
        room = (await session.scalars(select(RoomRow).where(RoomRow.id == draw.room_id))).one()
        text = select(cast(DrawRow.entries, Text)).where(DrawRow.id == draw.id)
        return Committed(draw, room, await session.scalar(text) or "")


def is_runnable(draw: DrawRow) -> bool:
    """Tell whether a draw has all it needs for its winners to be selected."""
    return draw.status is DrawStatus.COMMITTED and draw.run and drawing.has_inputs(draw)


async def _ready(services: Services, seen: Committed) -> Ready:
    draw = seen.draw
    return Ready(
        entries=seen.entries,
        rule=draw.rule or {},
        link=await link_of(services.keys, seen.room, draw.link_index or 0),
        public_inputs=tuple(
            value if isinstance(value, str) else tuple(value) for value in draw.public_inputs or ()
        ),
        entries_digest=draw.entries_digest or "",
        rule_digest=draw.rule_digest or "",
    )


async def _decide(services: Services, seen: Committed, ready: Ready) -> Decided:
    rule = fair.Rule.model_validate(ready.rule)
    size = max(seen.draw.entry_count, seen.draw.ticket_count * _rankings(rule))
    if rule.algorithm != "app":
        return Decided(await _compute(services, ready, rule.algorithm, size), DecidedBy.PLATFORM)
    outcome = await _ask(services, seen, ready, rule)
    if outcome.result is not None:
        return Decided(app_picks(outcome.result), DecidedBy.APP)
    if rule.on_failure == "queue":
        return Decided(None, DecidedBy.QUEUE, outcome)
    picks = await _compute(services, ready, "vrs-1", size)
    return Decided(picks, DecidedBy.PLATFORM, outcome)


def _rankings(rule: fair.Rule) -> int:
    return len(rule.prizes) if rule.each == "perPrize" else 1


async def _compute(
    services: Services, ready: Ready, algorithm: Algorithm, size: int
) -> list[PickDocument]:
    return await services.workshop.run(partial(compute, ready, algorithm), size=size)


async def _ask(services: Services, seen: Committed, ready: Ready, rule: fair.Rule) -> Answer:
    """Ask the app in the version that the rule names, whatever the room is locked to by now."""
    entries = read_entries(ready.entries)
    manifest = services.catalog.manifest(rule.app.id, rule.app.version)
    now = await services.database.now()
    async with services.database.read() as session:
        context = await build_context(
            session, services, seen.room, manifest, hook=SELECT_WINNERS, now=now
        )
        prizes = await _prizes(session, rule)
    return await services.dispatcher.call(
        SELECT_WINNERS,
        app=AppTarget(rule.app.id, rule.app.version),
        context=context.model_copy(update={"seed": None}),
        request=SelectWinnersRequest(
            draw_id=seen.draw.id,
            key=seen.draw.key,
            prizes=prizes,
            each=rule.each,
            participants=entries.participants,
            tickets=entries.tickets,
            exclude=rule.exclude,
            seed=seed_of(ready),
        ),
        budget=Budget(services.clock, services.settings.max_deadline_ms),
        check=partial(check_picks, rule, entries),
    )


async def _prizes(session: AsyncSession, rule: fair.Rule) -> tuple[DrawPrize, ...]:
    ids = [prize.prize_id for prize in rule.prizes]
    rows = {row.id: row for row in await session.scalars(_named(ids))}
    return tuple(
        DrawPrize(
            prize_id=prize.prize_id,
            name=rows[prize.prize_id].name,
            count=prize.count,
            metadata=rows[prize.prize_id].data,
        )
        for prize in rule.prizes
    )


def _named(ids: Sequence[str]) -> Any:  # noqa: ANN401  a statement, whose type SQLAlchemy infers
    return select(PrizeRow).where(PrizeRow.id.in_(ids))


async def _write(services: Services, work: Work, seen: DrawRow, decided: Decided) -> None:
    actor_id, depth = seen.created_by, depth_of(seen)
    async with write_room(services, work.room_id, actor_id=actor_id, depth=depth) as writer:
        draw = await by_id(writer, work.row_id)
        if draw.lease != work.lease or draw.status is not DrawStatus.COMMITTED:
            return
        if decided.outcome is not None and not draw.attempts:
            _tell_fallback(writer, decided.by, decided.outcome)
        if decided.picks is None:
            _ask_again(writer, draw)
            return
        await _store(writer, draw, decided.picks, decided.by)


def _ask_again(writer: RoomWriter, draw: DrawRow) -> None:
    draw.attempts += 1
    put_down(draw, due_at=writer.now + timedelta(seconds=backoff.seconds(draw.attempts)))


async def _store(
    writer: RoomWriter, draw: DrawRow, picks: list[PickDocument], by: DecidedBy
) -> None:
    """Store winners and result in one transaction; sealed, so that nobody learns of them."""
    draw.status, draw.drawn_at, draw.decided_by = DrawStatus.DRAWN, writer.now, by
    draw.picks = picks
    put_down(draw)
    await writer.session.flush()
    for start in range(0, len(picks), ROWS_AT_ONCE):
        some = picks[start : start + ROWS_AT_ONCE]
        rows = [_winner(writer, draw, pick, start + at) for at, pick in enumerate(some)]
        await writer.session.execute(insert(WinnerRow), rows)
    if draw.reveal is RevealMode.NOW:
        await reveal(writer, draw)


def _winner(
    writer: RoomWriter, draw: DrawRow, pick: PickDocument, ordinal: int
) -> dict[str, object]:
    return {
        "id": new_id("win"),
        "room_id": writer.room.id,
        "participant_id": pick["participantId"],
        "prize_id": pick["prizeId"],
        "draw_id": draw.id,
        "ordinal": ordinal,
        "sealed": True,
        "status": WinnerStatus.AWARDED,
        "data": {},
        "created_at": writer.now,
        "updated_at": writer.now,
    }


def _tell_fallback(writer: RoomWriter, by: DecidedBy, outcome: Answer) -> None:
    """Append who decides instead of the app; a refusal of a committed draw counts as a failure."""
    said = outcome.refusal or outcome.failure
    writer.record(
        FallbackUsed(
            hook=SELECT_WINNERS.name,
            decided_by=by,
            code=said.code if said else "APP_NOT_IMPLEMENTED",
            message=said.message if said else "The app has no algorithm of its own.",
            at=writer.now,
        )
    )


async def _put_down(services: Services, work: Work) -> None:
    async with write_room(services, work.room_id) as writer:
        draw = await by_id(writer, work.row_id)
        if draw.lease == work.lease:
            put_down(draw, due_at=writer.now if is_runnable(draw) else None)
