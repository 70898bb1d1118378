"""Commands on draws from people and apps: request, run, void, retry; the job does the rest.

Everything here happens in the caller's transaction and is durable with it. All commands are
idempotent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, func, select

from mymozhem.clock import iso
from mymozhem.contract import (
    Change,
    ChangeKind,
    Draw,
    DrawItems,
    DrawStatus,
    JsonObject,
    PrizeCount,
    PublicSource,
    RoomStatus,
    WinnerStatus,
    fair,
)
from mymozhem.contract.events import DrawRequested, DrawVoided, text_digest
from mymozhem.db.base import new_id
from mymozhem.errors import Conflict, Invalid, NotFound
from mymozhem.rooms.app_calls.pending import forget
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.prizes import inventory
from mymozhem.rooms.prizes.inventory import PrizeExhausted
from mymozhem.rooms.tables.draws import DrawRow, RevealMode
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow

from .items import has_public_part, is_of_items
from .published_records import publish
from .queries import (
    by_id,
    by_key,
    depth_of,
    formats_of,
    open_draws,
    release,
    schedule_next,
    schedule_now,
)
from .reveal import link_if_committed, reveal

__all__ = [
    "DrawRequest",
    "by_id",
    "by_key",
    "end_draws",
    "request",
    "request_of",
    "request_of_items",
    "retry",
    "reveal",
    "run",
    "void",
]


@dataclass(frozen=True)
class DrawRequest:
    """A requested draw.

    `items` are an app's own, of which `count` are drawn instead of people.
    `prizes` None means everything that is left at the commit. `key` None lets the host choose one.
    `data` is the app's own note; only `prepare_draw` receives it.
    """

    prizes: tuple[PrizeCount, ...] | None = None
    key: str | None = None
    run: bool = False
    reveal: RevealMode = RevealMode.NOW
    public_sources: tuple[PublicSource, ...] = ()
    replaces: str | None = None
    reserves: int = 0
    data: JsonObject = field(default_factory=dict)
    items: tuple[str, ...] = ()
    count: int = 0


def request_of_items(effect: DrawItems) -> DrawRequest:
    """Return an app's effect as a request."""
    count = len(effect.items) if effect.count == "all" else effect.count
    return DrawRequest(
        key=effect.key,
        run=effect.run,
        reveal=RevealMode(effect.reveal),
        public_sources=effect.public_sources,
        items=effect.items,
        count=count,
    )


def request_of(effect: Draw) -> DrawRequest:
    """Return an app's effect as a request."""
    return DrawRequest(
        prizes=effect.prizes,
        key=effect.key,
        run=effect.run,
        reveal=RevealMode(effect.reveal),
        public_sources=effect.public_sources,
        replaces=effect.replaces,
        reserves=effect.reserves,
        data=effect.data,
    )


async def request(transaction: RoomTransaction, wish: DrawRequest) -> DrawRow:
    """Store the request of a draw; the job commits it when its turn comes.

    Raises Conflict DRAW_KEY_USED for a key that the room has used, PRIZE_EXHAUSTED for more than is
    left, PUBLIC_SOURCE_DUE for a source whose value may already be known, ROOM_NOT_ACTIVE outside
    of the event (a redraw may follow a completed one), ALREADY_REPLACED for a second redraw of a
    win.
    """
    _require_status(transaction, wish)
    await _require_unused_key(transaction, wish.key)
    _require_future_sources(transaction, wish.public_sources)
    if wish.replaces is not None:
        wish = await _redraw(transaction, wish, wish.replaces)
    if not wish.items:
        await _check_inventory(transaction, wish.prizes)
    draw = _row(transaction, wish)
    transaction.session.add(draw)
    transaction.record(DrawRequested(draw_id=draw.id, key=draw.key))
    await schedule_next(transaction)
    return draw


async def run(
    transaction: RoomTransaction,
    draw: DrawRow,
    public_inputs: Sequence[fair.PublicValue] = (),
    confirm: Sequence[str] | None = None,
) -> None:
    """Run a draw now, or as soon as it is committed; idempotent.

    A draw with public sources waits for their values, one for each in order. They are accepted in
    their canonical forms, which `confirm` has to repeat: so their sender has seen them, and nobody
    learns anything of a result before. Raises Conflict DRAW_VOIDED, DRAW_NOT_COMMITTED for values
    that come too early, PUBLIC_SOURCE_NOT_DUE, PUBLIC_INPUTS_UNCONFIRMED with the canonical forms,
    PUBLIC_INPUTS_FIXED for values other than those accepted before, and Invalid for values that do
    not fit.
    """
    if draw.status is DrawStatus.VOIDED:
        raise Conflict("This draw was voided; ask for a new one.", code="DRAW_VOIDED")
    if draw.status in (DrawStatus.DRAWN, DrawStatus.REVEALED):
        return
    draw.run = True
    draw.request = draw.request | {"depth": max(depth_of(draw), transaction.depth)}
    if public_inputs:
        _take_inputs(transaction, draw, public_inputs, confirm)
    if draw.status is DrawStatus.COMMITTED and has_inputs(draw) and draw.due_at is None:
        schedule_now(transaction, draw)


def has_inputs(draw: DrawRow) -> bool:
    """Return whether a committed draw has everything that it needs to be run."""
    rule = fair.Rule.model_validate(draw.rule)
    return len(draw.public_inputs or ()) == len(rule.public_sources)


async def void(transaction: RoomTransaction, draw: DrawRow, reason: str) -> None:
    """End a draw publicly without winners: a reserved link is shown, reserved units return.

    A draw that was committed gets a record: so a stranger can compute who would have won.
    Idempotent. Raises Conflict DRAW_REVEALED if a winner of it is already public.
    """
    if draw.status is DrawStatus.VOIDED:
        return
    if draw.status is DrawStatus.REVEALED or has_public_part(draw):
        message = "Winners of this draw are public already; revoke them one by one instead."
        if is_of_items(draw):
            message = "Items of this draw are public already; reveal the rest of them."
        raise Conflict(message, code="DRAW_REVEALED")
    draw.link = await link_if_committed(transaction, draw)
    await _forget_result(transaction, draw)
    await forget(transaction.session, [draw.id])
    draw.status, draw.voided_at, draw.void_reason = DrawStatus.VOIDED, transaction.now, reason
    release(draw)
    if draw.link_index is not None:
        await publish(transaction, draw)
    transaction.record(
        DrawVoided(draw_id=draw.id, key=draw.key, reason_digest=text_digest(reason), link=draw.link)
    )
    transaction.changed(Change(kind=ChangeKind.DRAW, what="voided", draw_id=draw.id, key=draw.key))
    transaction.audit("draw.void", subject=draw.id, reason=reason)
    await schedule_next(transaction)


async def retry(
    transaction: RoomTransaction,
    draw: DrawRow,
    *,
    platform: bool,
    formats: Mapping[str, fair.ValueFormat] = MappingProxyType({}),
) -> None:
    """Retry a held draw; with `platform`, everybody has one ticket and the app is not called.

    `formats` are those of public sources that were named without one, by name. `platform` needs
    the organizer's typed consent, which the caller has checked. A draw that is no
    longer held is left unchanged. Raises Conflict DRAW_NOT_HELD once entries are fixed.
    """
    if draw.status is not DrawStatus.REQUESTED:
        message = "Entries and rule of this draw are fixed or it is over; nothing is held."
        raise Conflict(message, code="DRAW_NOT_HELD")
    if draw.held_code is None:
        return
    draw.platform_consent = draw.platform_consent or platform
    if formats:
        named = {name: form.document() for name, form in formats.items()}
        draw.request = draw.request | {"formats": formats_of(draw.request) | named}
    draw.held_code = draw.held_message = None
    transaction.audit("draw.retry", subject=draw.id, platform=platform)
    await schedule_next(transaction)


async def end_draws(transaction: RoomTransaction, status: RoomStatus) -> None:
    """Settle the draws of a room before it ends or is deleted.

    Draws that were only requested are voided. A draw in progress raises Conflict DRAWS_OPEN if the
    room is completed, since its participants expect winners. If the room is cancelled, the draw is
    voided and its link is shown; a partly public draw becomes public as a whole.
    """
    reason = f"The room was {status.lower()}."
    for draw in reversed(await open_draws(transaction)):  # or each void would let the next one go
        if draw.status is not DrawStatus.REQUESTED and status is RoomStatus.COMPLETED:
            message = f"The draw {draw.key!r} is under way; run and reveal it, or void it."
            raise Conflict(message, code="DRAWS_OPEN", details={"drawId": draw.id})
        await (
            reveal(transaction, draw) if has_public_part(draw) else void(transaction, draw, reason)
        )


def _require_status(transaction: RoomTransaction, wish: DrawRequest) -> None:
    status = transaction.room.status
    redraw = wish.replaces is not None and status is RoomStatus.COMPLETED
    if status is not RoomStatus.ACTIVE and not redraw:
        message = "Draws are made while the room is active; afterwards only redraws are."
        raise Conflict(message, code="ROOM_NOT_ACTIVE", details={"status": status})


async def _require_unused_key(transaction: RoomTransaction, key: str | None) -> None:
    used = select(DrawRow.id).where(DrawRow.room_id == transaction.room.id, DrawRow.key == key)
    if key is not None and await transaction.session.scalar(used) is not None:
        message = f"The room has had a draw {key!r} already; take another key."
        raise Conflict(message, code="DRAW_KEY_USED")


def _require_future_sources(
    transaction: RoomTransaction, sources: tuple[PublicSource, ...]
) -> None:
    for source in sources:
        if source.due <= transaction.now:
            message = f"The public source {source.name!r} was due before the commit."
            raise Conflict(message, code="PUBLIC_SOURCE_DUE")


async def _check_inventory(
    transaction: RoomTransaction, prizes: tuple[PrizeCount, ...] | None
) -> None:
    """Raise if the prizes are not available now; the units are reserved at the commit."""
    left = await _prizes_left(transaction)
    if prizes is None:
        if not any(left.values()):
            raise PrizeExhausted("There is no prize left to draw.")
        return
    ids = [prize.prize_id for prize in prizes]
    if not ids or len(set(ids)) != len(ids):
        raise Invalid(fields={"/prizes": ["name at least one prize, and each once"]})
    for prize in prizes:
        if prize.prize_id not in left:
            raise NotFound("There is no such prize in this room.", code="PRIZE_NOT_FOUND")
        if left[prize.prize_id] < prize.count:
            raise PrizeExhausted(details={"prizeId": prize.prize_id, "left": left[prize.prize_id]})


async def _prizes_left(transaction: RoomTransaction) -> dict[str, int]:
    rows = await transaction.session.execute(
        select(PrizeRow.id, PrizeRow.quantity_remaining).where(
            PrizeRow.room_id == transaction.room.id, PrizeRow.deleted_at.is_(None)
        )
    )
    return {row.id: row.quantity_remaining for row in rows}


async def _redraw(transaction: RoomTransaction, wish: DrawRequest, winner_id: str) -> DrawRequest:
    """Complete the request of a redraw: one unit of the prize whose win was revoked."""
    win = await transaction.session.scalar(
        select(WinnerRow).where(
            WinnerRow.id == winner_id,
            WinnerRow.room_id == transaction.room.id,
            WinnerRow.sealed.is_(False),
        )
    )
    if win is None:
        raise NotFound("There is no such winner in this room.", code="WINNER_NOT_FOUND")
    if win.status is not WinnerStatus.REVOKED:
        message = "That win stands; revoke it before its prize is drawn again."
        raise Conflict(message, code="WINNER_NOT_REVOKED")
    await _require_first_redraw(transaction, winner_id)
    own = (PrizeCount(prize_id=win.prize_id, count=1),)
    if wish.prizes not in (None, own):
        raise Invalid(fields={"/prizes": ["a redraw is for one unit of the prize it replaces"]})
    return replace(wish, prizes=own)


async def _require_first_redraw(transaction: RoomTransaction, winner_id: str) -> None:
    same = select(func.count()).where(
        DrawRow.room_id == transaction.room.id,
        DrawRow.replaces == winner_id,
        DrawRow.status != DrawStatus.VOIDED,
    )
    if await transaction.session.scalar(same):
        message = "That win is being replaced by another draw already."
        raise Conflict(message, code="ALREADY_REPLACED")


def _row(transaction: RoomTransaction, wish: DrawRequest) -> DrawRow:
    draw_id = new_id("draw")
    return DrawRow(
        id=draw_id,
        room_id=transaction.room.id,
        key=wish.key or draw_id,
        status=DrawStatus.REQUESTED,
        request=_document(wish, transaction.depth),
        run=wish.run,
        reveal=wish.reveal,
        replaces=wish.replaces,
        revealed_prizes=[],
        attempts=0,
        created_by=transaction.actor_id,
        created_at=transaction.now,
    )


def _document(wish: DrawRequest, depth: int) -> dict[str, Any]:
    prizes = None if wish.prizes is None else [_dumped(prize) for prize in wish.prizes]
    sources = [_source(each) for each in wish.public_sources]
    document: dict[str, Any] = {"prizes": prizes, "publicSources": sources, "depth": depth}
    if wish.reserves:
        document["reserves"] = wish.reserves
    if wish.data:
        document["data"] = wish.data
    if wish.items:
        document |= {"items": list(wish.items), "count": wish.count}
    return document


def _source(source: PublicSource) -> dict[str, Any]:
    document: dict[str, Any] = {"name": source.name, "due": iso(source.due)}
    return document if source.format is None else document | {"format": source.format.document()}


def _dumped(prize: PrizeCount) -> dict[str, Any]:
    return prize.model_dump(mode="json", by_alias=True)


def _take_inputs(
    transaction: RoomTransaction,
    draw: DrawRow,
    given: Sequence[fair.PublicValue],
    confirm: Sequence[str] | None,
) -> None:
    if draw.status is not DrawStatus.COMMITTED:
        message = "Values of public sources come after the commit; this draw has none yet."
        raise Conflict(message, code="DRAW_NOT_COMMITTED")
    rule = fair.Rule.model_validate(draw.rule)
    values = _canonical(rule, given)
    if draw.public_inputs is not None:
        if values == _canonical(rule, draw.public_inputs):
            return
        message = "This draw has accepted other values; void it if they are wrong."
        raise Conflict(message, code="PUBLIC_INPUTS_FIXED")
    _require_due(transaction, rule)
    _require_confirmed(rule, values, confirm)
    draw.public_inputs = values


def _canonical(rule: fair.Rule, values: Sequence[fair.PublicValue]) -> list[str]:
    """Return the one form of each value that may decide the draw; Invalid if it does not fit."""
    if len(values) != len(rule.public_sources):
        wanted = len(rule.public_sources)
        message = f"{len(values)} values came; the draw has {wanted} public sources"
        raise Invalid(fields={"/publicInputs": [message]})
    found = list[str]()
    for at, (source, value) in enumerate(zip(rule.public_sources, values, strict=True)):
        try:
            if source.format is None:
                found.append(fair.unformatted_value(value))
            else:
                found.append(fair.canonical_value(value, source.format))
        except fair.InvalidPublicInput as error:
            raise Invalid(fields={f"/publicInputs/{at}": [str(error)]}) from error
    return found


def _require_confirmed(
    rule: fair.Rule, values: Sequence[str], confirm: Sequence[str] | None
) -> None:
    if confirm is not None and list(confirm) == values:
        return
    message = (
        "Compare these values with their sources. To accept them, send them again, with"
        " `confirm` as it is in the details. They cannot be changed afterwards."
    )
    details = {
        "sources": [source.name for source in rule.public_sources],
        "confirm": list(values),
    }
    raise Conflict(message, code="PUBLIC_INPUTS_UNCONFIRMED", details=details)


def _require_due(transaction: RoomTransaction, rule: fair.Rule) -> None:
    for source in rule.public_sources:
        if iso(transaction.now) < source.due:
            message = f"The public source {source.name!r} is due at {source.due}, not yet."
            raise Conflict(message, code="PUBLIC_SOURCE_NOT_DUE", details={"due": source.due})


async def _forget_result(transaction: RoomTransaction, draw: DrawRow) -> None:
    """Return reserved units, and delete winners that nobody has seen."""
    if draw.status is DrawStatus.REQUESTED:
        return
    units = () if is_of_items(draw) else fair.Rule.model_validate(draw.rule).prizes
    for prize in units:
        await inventory.give_back(transaction, prize.prize_id, prize.count)
    await transaction.session.execute(
        delete(WinnerRow).where(WinnerRow.draw_id == draw.id, WinnerRow.sealed.is_(True))
    )
    draw.picks = draw.reserves = None
