"""Commit a draw: let the app name the entries, freeze entries and rule, publish their digests."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Text, cast, literal, or_, select, update
from sqlalchemy.dialects import postgresql

from mymozhem.clock import iso
from mymozhem.contract import (
    Change,
    ChangeKind,
    DrawStatus,
    EntryList,
    EntryRule,
    PreparedDraw,
    PrepareDrawRequest,
    PublicSource,
    fair,
)
from mymozhem.contract.events import DrawCommitted, DrawHeld
from mymozhem.contract.hooks import PREPARE_DRAW, SELECT_WINNERS
from mymozhem.dispatch.outcome import BadAnswer, Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.manifests.validators import SchemaRefused, compile_schema
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.app_calls.pending import new_app_call
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.revision import StaleSnapshot
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction
from mymozhem.rooms.prizes import inventory
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.imports import PeopleImportRow
from mymozhem.rooms.tables.results import ResultPartRow

from . import commands
from .entries import EntriesRefused, FrozenEntries, check_list, freeze
from .items import ITEMS, count_of, frozen_items, is_of_items, items_of
from .queries import (
    by_id,
    depth_of,
    formats_of,
    next_to_commit,
    note_of,
    release,
    schedule_next,
    schedule_now,
    wanted_reserves,
)
from .queries import wanted_prizes as named_prizes
from .snapshot import DrawSnapshot, is_stale, let_go, take_snapshot

#: calls of the app for one draw before the draw waits a moment
TRIES = 5
A_MOMENT = timedelta(seconds=1)


class Held(Exception):
    """The draw cannot be committed until an organizer decides; `code` and `message` say why.

    `outcome` is that of the failed call that caused it, or None without one.
    """

    def __init__(
        self, code: str, message: str, *, outcome: Outcome[PreparedDraw] | None = None
    ) -> None:
        self.code = code
        self.message = message
        self.outcome = outcome
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True)
class Prepared:
    """What is to be committed, and the outcome of the app's call, if it was called."""

    answer: PreparedDraw
    rule: fair.Rule
    entries: FrozenEntries
    outcome: Outcome[PreparedDraw] | None


async def commit(services: Services, lease: Lease) -> None:
    """Commit a requested draw, or hold it; do nothing if it is another draw's turn.

    A draw waits for an import that is being written, and for results: it is drawn from all of the
    people, with all of their points.
    """
    if await _is_being_written(services, lease.room_id):
        await _step_back(services, lease, later=A_MOMENT)
        return
    for _ in range(TRIES):
        seen = await _look(services, lease)
        if seen is None:
            await _step_back(services, lease)
            return
        columns = seen.people.columns()
        is_settled = await _commit_or_hold(services, lease, seen)
        del seen
        await let_go(columns)
        if is_settled:
            return
    await _step_back(services, lease, later=A_MOMENT)


async def _commit_or_hold(services: Services, lease: Lease, seen: DrawSnapshot) -> bool:
    """Return True if the draw is committed or held, False if it has to be prepared again."""
    try:
        prepared = await _prepare(services, seen)
        await _write(services, lease, seen, prepared)
    except StaleSnapshot:
        return False
    except Held as held:
        await hold(services, lease, held)
    except inventory.PrizeExhausted as error:
        if named_prizes(seen.draw.request) is None:
            return False
        await hold(services, lease, Held(error.code, error.message))
    return True


async def _is_being_written(services: Services, room_id: str) -> bool:
    async with services.database.read() as session:
        people = select(PeopleImportRow.id).where(PeopleImportRow.room_id == room_id)
        results = select(ResultPartRow.id).where(ResultPartRow.room_id == room_id)
        return bool(await session.scalar(select(or_(people.exists(), results.exists()))))


async def _look(services: Services, lease: Lease) -> DrawSnapshot | None:
    async with services.database.read() as session:
        draw = await session.get(DrawRow, lease.row_id)
        if draw is None or draw.lease != lease.token:
            return None
        if await next_to_commit(session, lease.room_id) != draw.id:
            return None
        asked = not draw.platform_consent and not is_of_items(draw)
        return await take_snapshot(session, services, draw, asked=asked)


async def _prepare(services: Services, seen: DrawSnapshot) -> Prepared:
    items = items_of(seen.draw.request)
    if items is not None:
        return await asyncio.to_thread(_prepare_items, services, seen, items)
    _require_entries(seen)
    outcome = await _ask(services, seen)
    answer = _answer_of(outcome)
    rule = _rule_of(services, seen, answer)
    _require_formats(rule)
    freezing = partial(freeze, seen.people.chunks, answer.entries, rule)
    try:
        entries = await services.compute_pool.run(freezing, size=len(seen.people.candidates.id))
    except EntriesRefused as refused:
        raise Held(refused.code, refused.message) from refused
    # Only entries are named as excluded: other names would change the digest, and nothing else.
    rule = rule.model_copy(update={"exclude": entries.excluded})
    return Prepared(answer, rule, entries, outcome)


def _prepare_items(services: Services, seen: DrawSnapshot, items: tuple[str, ...]) -> Prepared:
    """Return what is committed for a draw of items; the app has named them, and is not called."""
    answer = PreparedDraw(rule="The app draws its own items; each has one ticket.")
    rule = _rule_of(services, seen, answer)
    _require_formats(rule)
    return Prepared(answer, rule, frozen_items(items), None)


def _require_entries(seen: DrawSnapshot) -> None:
    """Hold a draw without prizes, or with fewer prizes than were requested."""
    if not seen.prizes:
        raise Held(inventory.PrizeExhausted.default_code, "There is no prize left to draw.")
    named = named_prizes(seen.draw.request)
    if named is not None and len(named) != len(seen.prizes):
        raise Held("PRIZE_NOT_FOUND", "A prize of this draw was deleted; void it and ask again.")


async def _ask(services: Services, seen: DrawSnapshot) -> Outcome[PreparedDraw] | None:
    """Call the app; None if an organizer has decided to go on without it."""
    if seen.draw.platform_consent:
        return None
    now = await services.database.now()
    async with services.database.read() as session:
        context = await build_context(
            session, services, seen.room, seen.manifest, hook=PREPARE_DRAW, now=now
        )
    call = new_app_call(
        PREPARE_DRAW,
        context=context.model_copy(update={"seed": None}),
        request=PrepareDrawRequest(
            draw_id=seen.draw.id,
            key=seen.draw.key,
            prizes=seen.prizes,
            candidates=seen.people.candidates,
            replaces=seen.replaced,
            public_sources=seen.sources,
            reserves=wanted_reserves(seen.draw.request),
            data=note_of(seen.draw.request),
        ),
        revision=None,
        check=lambda _, answer: _check(services, seen, answer),
    )
    budget = Budget(services.clock, services.settings.max_deadline_ms)
    return await call.answer(services, budget)


def _answer_of(outcome: Outcome[PreparedDraw] | None) -> PreparedDraw:
    """Return the app's result, or equal tickets for everybody if the host decides."""
    if outcome is None:
        return PreparedDraw()
    if outcome.refusal is not None:
        raise Held(outcome.refusal.code, outcome.refusal.message)
    if outcome.result is not None:
        return outcome.result
    if outcome.failure is not None and outcome.decided_by != "platform":
        raise Held(outcome.failure.code, outcome.failure.message, outcome=outcome)
    return PreparedDraw()


def _check(services: Services, seen: DrawSnapshot, answer: PreparedDraw) -> None:
    """Raise BadAnswer if the app's result cannot be committed to."""
    try:
        _rule_of(services, seen, answer)
        _check_entries(answer.entries, seen.people.candidates.id)
    except Held as held:
        raise BadAnswer(held.code, held.message) from held
    except EntriesRefused as refused:
        raise BadAnswer(refused.code, refused.message) from refused
    except SchemaRefused as refused:
        raise BadAnswer("WHERE_REFUSED", f"The rule of the entries: {refused}") from refused


def _check_entries(entries: EntryList | EntryRule, candidates: tuple[str, ...]) -> None:
    if isinstance(entries, EntryList):
        check_list(entries, candidates)
    elif entries.where is not True:
        compile_schema(entries.where)


def _rule_of(services: Services, seen: DrawSnapshot, answer: PreparedDraw) -> fair.Rule:
    """Return the rule to be published; raise Held if the result is no valid rule."""
    sources = seen.sources if answer.public_sources is None else answer.public_sources
    wanted = wanted_reserves(seen.draw.request)
    document: dict[str, Any] = {
        "app": {"id": seen.room.app_id, "version": seen.room.app_manifest_version},
        "lockDigest": seen.lock_digest,
        "algorithm": answer.algorithm,
        "onFailure": _on_failure(seen, answer),
        "each": answer.each,
        "prizes": _prizes_of(seen),
        "exclude": list(seen.exclude),
        "replaces": seen.draw.replaces,
        "publicSources": [_source(services, seen.draw, source) for source in sources],
        "reserves": wanted if answer.reserves is None else answer.reserves,
    }
    try:
        return fair.Rule.model_validate(document)
    except ValidationError as error:
        raise Held("RULE_INVALID", str(error.errors(include_url=False)[0]["msg"])) from error


def _prizes_of(seen: DrawSnapshot) -> list[dict[str, Any]]:
    if is_of_items(seen.draw):
        return [{"prizeId": ITEMS, "count": count_of(seen.draw.request)}]
    return [{"prizeId": each.prize_id, "count": each.count} for each in seen.prizes]


def _on_failure(seen: DrawSnapshot, answer: PreparedDraw) -> str:
    """Return what decides if the app's own algorithm fails; the host's algorithms do not fail."""
    if answer.algorithm != "app":
        return "platform"
    return str(seen.manifest.policy(SELECT_WINNERS).on_failure)


def _source(services: Services, draw: DrawRow, source: PublicSource) -> dict[str, Any]:
    if source.due <= services.clock.now():
        raise Held("PUBLIC_SOURCE_DUE", f"{source.name!r} was due before the commit.")
    named = formats_of(draw.request).get(source.name)
    form = named if source.format is None else source.format.document()
    return {"name": source.name, "due": iso(source.due), "format": form}


def _require_formats(rule: fair.Rule) -> None:
    """Hold a draw whose app, of the contract before formats, named a source without one."""
    for source in rule.public_sources:
        if source.format is None:
            message = (
                f"The app did not say how the value of {source.name!r} is written. Retry the draw"
                " with `formats`, so that nobody can choose among spellings later."
            )
            raise Held("PUBLIC_SOURCE_FORMAT", message)


async def _write(services: Services, lease: Lease, seen: DrawSnapshot, prepared: Prepared) -> None:
    """Commit; return False if the room has changed and the app has to be called again."""
    actor_id, depth = seen.draw.created_by, depth_of(seen.draw)
    async with room_transaction(
        services, lease.room_id, actor_id=actor_id, depth=depth
    ) as transaction:
        draw = await by_id(transaction, lease.row_id)
        if draw.lease != lease.token or draw.status is not DrawStatus.REQUESTED:
            return
        _require_future_sources(transaction, prepared.rule)
        if await is_stale(transaction.session, transaction.room, seen):
            raise StaleSnapshot
        for prize in () if is_of_items(draw) else prepared.rule.prizes:
            await inventory.reserve(transaction, prize.prize_id, prize.count)
        _take_link(transaction, draw)
        await _store(transaction, draw, prepared)
        _tell(transaction, draw)
        if prepared.outcome is not None:
            record_fallback(transaction, PREPARE_DRAW, prepared.outcome)


def _require_future_sources(transaction: RoomTransaction, rule: fair.Rule) -> None:
    for source in rule.public_sources:
        if source.due <= iso(transaction.now):
            raise Held("PUBLIC_SOURCE_DUE", f"{source.name!r} was due before the commit.")


def _take_link(transaction: RoomTransaction, draw: DrawRow) -> None:
    if transaction.room.next_link >= fair.CHAIN_LENGTH:
        raise Held("CHAIN_EXHAUSTED", "The room has used up its links; open a new room.")
    draw.link_index = transaction.room.next_link
    transaction.room.next_link += 1


async def _store(transaction: RoomTransaction, draw: DrawRow, prepared: Prepared) -> None:
    draw.status, draw.committed_at = DrawStatus.COMMITTED, transaction.now
    draw.rule, draw.rule_digest = prepared.rule.document(), prepared.rule.digest()
    draw.rule_text = prepared.answer.rule
    draw.entries_digest = prepared.entries.digest
    draw.entry_count, draw.ticket_count = prepared.entries.entries, prepared.entries.tickets
    draw.attempts = 0
    release(draw)
    if draw.run and commands.has_inputs(draw):
        schedule_now(transaction, draw)
    await transaction.session.flush()
    text = _as_json(prepared.entries.text, transaction.services.database.dialect)
    await transaction.session.execute(
        update(DrawRow)
        .where(DrawRow.id == draw.id)
        .values(entries=text)
        .execution_options(synchronize_session=False)
    )


def _as_json(text: str, dialect: str) -> ColumnElement[Any]:
    """Store JSON text unchanged, without parsing what may be 50 MB."""
    stored = literal(text, Text())
    return cast(stored, postgresql.JSON()) if dialect == "postgresql" else stored


def _tell(transaction: RoomTransaction, draw: DrawRow) -> None:
    transaction.record(
        DrawCommitted(
            draw_id=draw.id,
            key=draw.key,
            anchor=transaction.room.draw_anchor,
            link_index=draw.link_index or 0,
            entries_digest=draw.entries_digest or "",
            rule_digest=draw.rule_digest or "",
            entry_count=draw.entry_count,
            ticket_count=draw.ticket_count,
        )
    )
    transaction.changed(
        Change(kind=ChangeKind.DRAW, what="committed", draw_id=draw.id, key=draw.key)
    )


async def hold(services: Services, lease: Lease, held: Held) -> None:
    """Hold a requested draw, and show it to the organizers."""
    async with room_transaction(services, lease.room_id) as transaction:
        draw = await by_id(transaction, lease.row_id)
        if draw.lease != lease.token or draw.status is not DrawStatus.REQUESTED:
            return
        draw.held_code, draw.held_message = held.code[:64], held.message[:1000]
        release(draw)
        if held.outcome is not None:
            record_fallback(transaction, PREPARE_DRAW, held.outcome)
        event = DrawHeld(draw_id=draw.id, key=draw.key, code=held.code, message=held.message)
        transaction.record(event)
        await schedule_next(transaction)


async def _step_back(services: Services, lease: Lease, *, later: timedelta = timedelta()) -> None:
    """Release the draw until its turn comes; immediately if that is now."""
    async with room_transaction(services, lease.room_id) as transaction:
        draw = await by_id(transaction, lease.row_id)
        if draw.lease != lease.token:
            return
        mine = await next_to_commit(transaction.session, lease.room_id) == draw.id
        release(draw, due_at=transaction.now + later if mine else None)
