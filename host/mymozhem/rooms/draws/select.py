"""Select the winners of a committed draw from its frozen entries, and store them sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Text, cast, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    AppRef,
    DecidedBy,
    DrawPrize,
    DrawStatus,
    JsonObject,
    SelectWinnersRequest,
    SelectWinnersResult,
    WinnerStatus,
    fair,
)
from mymozhem.contract.events import FallbackUsed
from mymozhem.contract.fair.model import Algorithm
from mymozhem.contract.hooks import SELECT_WINNERS
from mymozhem.db.base import new_id
from mymozhem.dispatch.outcome import FailureKind, Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.rooms.app_calls import backoff
from mymozhem.rooms.app_calls.pending import AppCall, PendingCallRef, new_app_call, restore_pending
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction
from mymozhem.rooms.tables.draws import DrawRow, RevealMode
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow

from . import commands
from .items import is_of_items
from .picks import (
    DrawInputs,
    PickDocument,
    Selection,
    app_picks,
    check_picks,
    compute,
    read_entries,
    seed_of,
)
from .queries import by_id, depth_of, release
from .reveal import reveal
from .secret import link_of

ROWS_AT_ONCE = 2_000

#: what a committed draw has fixed already, or what nobody may read before it is drawn
NOT_STORED = ("participants", "tickets", "seed")

Answer = Outcome[SelectWinnersResult]
SelectCall = AppCall[SelectWinnersRequest, SelectWinnersResult]


@dataclass(frozen=True)
class Committed:
    """A committed draw with its room and its stored entries."""

    draw: DrawRow
    room: RoomRow
    entries: str


@dataclass(frozen=True)
class SelectionOutcome:
    """The picks of a draw; None if the app is to be called again later.

    `call` is the call of the app, or None without one; `outcome` is its outcome.
    """

    selected: Selection | None
    by: DecidedBy
    call: SelectCall | None = None
    outcome: Answer | None = None


async def select_winners(services: Services, lease: Lease) -> None:
    """Select the winners of a committed draw, and reveal them if the draw says so."""
    seen = await _look(services, lease)
    if seen is None:
        await _release(services, lease)
        return
    ready = await _ready(services, seen)
    rule = fair.Rule.model_validate(ready.rule)
    if rule.algorithm != "app":
        selected = await _compute(services, ready, rule, rule.algorithm, seen.draw)
        await _write(services, lease, seen.draw, SelectionOutcome(selected, DecidedBy.PLATFORM))
        return
    call = await _look_again(services, seen, ready, rule)
    with services.in_flight_calls.track(call.call_id):
        budget = Budget(services.clock, services.settings.max_deadline_ms)
        outcome = await call.answer(services, budget)
        decided = await _decide(services, seen, ready, rule, call, outcome)
        await _write(services, lease, seen.draw, decided)


async def _look(services: Services, lease: Lease) -> Committed | None:
    async with services.database.read() as session:
        draw = await session.get(DrawRow, lease.row_id)
        if draw is None or draw.lease != lease.token or not is_runnable(draw):
            return None
        room = (await session.scalars(select(RoomRow).where(RoomRow.id == draw.room_id))).one()
        text = select(cast(DrawRow.entries, Text)).where(DrawRow.id == draw.id)
        return Committed(draw, room, await session.scalar(text) or "")


def is_runnable(draw: DrawRow) -> bool:
    """Return whether a draw has everything that the selection of its winners needs."""
    return draw.status is DrawStatus.COMMITTED and draw.run and commands.has_inputs(draw)


async def _ready(services: Services, seen: Committed) -> DrawInputs:
    draw = seen.draw
    return DrawInputs(
        entries=seen.entries,
        rule=draw.rule or {},
        link=await link_of(services.keys, seen.room, draw.link_index or 0),
        public_inputs=tuple(
            value if isinstance(value, str) else tuple(value) for value in draw.public_inputs or ()
        ),
        entries_digest=draw.entries_digest or "",
        rule_digest=draw.rule_digest or "",
    )


async def _decide(
    services: Services,
    seen: Committed,
    ready: DrawInputs,
    rule: fair.Rule,
    call: SelectCall,
    outcome: Answer,
) -> SelectionOutcome:
    if outcome.result is not None:
        return SelectionOutcome(app_picks(rule, outcome.result), DecidedBy.APP, call, outcome)
    if rule.on_failure == "queue":
        return SelectionOutcome(None, DecidedBy.QUEUE, call, outcome)
    selected = await _compute(services, ready, rule, "vrs-1", seen.draw)
    return SelectionOutcome(selected, DecidedBy.PLATFORM, call, outcome)


def _rankings(rule: fair.Rule) -> int:
    return len(rule.prizes) if rule.each == "perPrize" else 1


async def _compute(
    services: Services, ready: DrawInputs, rule: fair.Rule, algorithm: Algorithm, draw: DrawRow
) -> Selection:
    size = max(draw.entry_count, draw.ticket_count * _rankings(rule))
    return await services.compute_pool.run(partial(compute, ready, algorithm), size=size)


async def _look_again(
    services: Services, seen: Committed, ready: DrawInputs, rule: fair.Rule
) -> SelectCall:
    """Return the call of the app in the version that the rule names, whatever the room's version.

    A commitment never changes, so a kept call is repeated unchanged.
    """
    entries, draw = read_entries(ready.entries), seen.draw
    manifest = services.catalog.manifest(rule.app.id, rule.app.version)
    now = await services.database.now()
    async with services.database.read() as session:
        context = await build_context(
            session, services, seen.room, manifest, hook=SELECT_WINNERS, now=now
        )
        app = AppRef(id=rule.app.id, version=rule.app.version)
        new = new_app_call(
            SELECT_WINNERS,
            context=context.model_copy(update={"seed": None, "app": app}),
            request=SelectWinnersRequest(
                draw_id=draw.id,
                key=draw.key,
                prizes=await _prizes(session, rule),
                each=rule.each,
                participants=entries.participants,
                tickets=entries.tickets,
                exclude=rule.exclude,
                seed=seed_of(ready),
            ),
            revision=ready.rule_digest,
            pending=PendingCallRef(draw.id, asked_before=draw.attempts > 0, not_stored=NOT_STORED),
            check=lambda _, answer: check_picks(rule, entries, answer),
        )
        return await restore_pending(session, new)


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


async def _write(
    services: Services, lease: Lease, seen: DrawRow, decided: SelectionOutcome
) -> None:
    actor_id, depth = seen.created_by, depth_of(seen)
    async with room_transaction(
        services, lease.room_id, actor_id=actor_id, depth=depth
    ) as transaction:
        draw = await by_id(transaction, lease.row_id)
        if draw.lease != lease.token or draw.status is not DrawStatus.COMMITTED:
            return
        rule = fair.Rule.model_validate(draw.rule)
        decided = await _noted(transaction, rule, decided)
        if decided.outcome is not None and decided.outcome.result is None and not draw.attempts:
            _tell_fallback(transaction, decided.by, decided.outcome)
        if decided.selected is None:
            _ask_again(transaction, draw, decided.outcome)
            return
        await _store(transaction, draw, decided.selected, decided.by)


async def _noted(
    transaction: RoomTransaction, rule: fair.Rule, decided: SelectionOutcome
) -> SelectionOutcome:
    """Keep the call for the next attempt; a result that arrived in the meantime counts."""
    if decided.call is None or decided.outcome is None:
        return decided
    outcome = await decided.call.keep_or_discard(transaction, decided.outcome)
    if outcome is decided.outcome or outcome.result is None:
        return decided
    return SelectionOutcome(app_picks(rule, outcome.result), DecidedBy.APP, decided.call, outcome)


def _ask_again(transaction: RoomTransaction, draw: DrawRow, outcome: Answer | None) -> None:
    draw.attempts += 1
    failure = outcome.failure if outcome is not None else None
    parked = failure is not None and failure.kind is FailureKind.ACCEPTED
    wait = backoff.seconds(draw.attempts, parked=parked)
    release(draw, due_at=transaction.now + timedelta(seconds=wait))


async def _store(
    transaction: RoomTransaction, draw: DrawRow, selected: Selection, by: DecidedBy
) -> None:
    """Store winners and result in one transaction; sealed, so that they stay hidden."""
    draw.status, draw.drawn_at, draw.decided_by = DrawStatus.DRAWN, transaction.now, by
    picks = selected.picks
    draw.picks, draw.reserves = picks, selected.reserves
    release(draw)
    await transaction.session.flush()
    for start in range(0, 0 if is_of_items(draw) else len(picks), ROWS_AT_ONCE):
        some = picks[start : start + ROWS_AT_ONCE]
        rows = [
            _winner(transaction, draw, pick, start + at, selected.metadata)
            for at, pick in enumerate(some)
        ]
        await transaction.session.execute(insert(WinnerRow), rows)
    if draw.reveal is RevealMode.NOW:
        await reveal(transaction, draw)


def _winner(
    transaction: RoomTransaction,
    draw: DrawRow,
    pick: PickDocument,
    ordinal: int,
    metadata: Sequence[JsonObject],
) -> dict[str, object]:
    return {
        "id": new_id("win"),
        "room_id": transaction.room.id,
        "participant_id": pick["participantId"],
        "prize_id": pick["prizeId"],
        "draw_id": draw.id,
        "ordinal": ordinal,
        "sealed": True,
        "status": WinnerStatus.AWARDED,
        "data": metadata[ordinal] if metadata else {},
        "created_at": transaction.now,
        "updated_at": transaction.now,
    }


def _tell_fallback(transaction: RoomTransaction, by: DecidedBy, outcome: Answer) -> None:
    """Record who decides instead of the app; refusing a committed draw counts as a failure."""
    said = outcome.refusal or outcome.failure
    transaction.record(
        FallbackUsed(
            hook=SELECT_WINNERS.name,
            decided_by=by,
            code=said.code if said else "APP_NOT_IMPLEMENTED",
            message=said.message if said else "The app has no algorithm of its own.",
            at=transaction.now,
            call_id=outcome.call_id,
        )
    )


async def _release(services: Services, lease: Lease) -> None:
    async with room_transaction(services, lease.room_id) as transaction:
        draw = await by_id(transaction, lease.row_id)
        if draw.lease == lease.token:
            release(draw, due_at=transaction.now if is_runnable(draw) else None)
