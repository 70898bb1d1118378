"""Apps open windows in a running room."""

from datetime import timedelta

import orjson
from sqlalchemy import func, select

from mymozhem.contract import JsonObject, OpenWindow, Role, RoomStatus, SubmissionMode, WindowStatus
from mymozhem.contract.events import WindowOpened
from mymozhem.errors import Conflict, TooLarge
from mymozhem.manifests.validators import SchemaRefused, compile_schema
from mymozhem.rooms.core.participant_lookup import require_participants
from mymozhem.rooms.core.transaction import MAX_DEPTH, RoomTransaction
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.timers import SAME_CHAIN

from .queries import UNDER_WAY
from .text_folding import fold_rules

#: windows that are open in one room at the same time, and windows of a room in all
MAX_OPEN = 200
MAX_WINDOWS = 10_000

MAX_PART_BYTES = 32 * 1024
MAX_ACCEPTS_BYTES = 16 * 1024


async def open_window(transaction: RoomTransaction, effect: OpenWindow) -> None:
    """Open a window; it accepts submissions from its opening on, after this is committed.

    Raises Conflict outside a running room, for a key that was used before, for an unsafe or invalid
    schema, and at the end of a chain of eight hooks; TooLarge for parts that exceed their limit;
    NotFound for participants of another room.
    """
    _require_active_room(transaction)
    await _require_unused_key(transaction, effect.id)
    rules = _checked(effect, transaction.room.locale)
    if effect.participants is not None:
        await require_participants(transaction, effect.participants)
    window = _row(transaction, effect, rules)
    check_depth(window.depth)
    transaction.session.add(window)
    await transaction.session.flush()
    _record(transaction, window)
    transaction.wake_jobs()


def check_depth(depth: int) -> None:
    """Raise if the chain of hooks is too long."""
    if depth > MAX_DEPTH:
        message = f"More than {MAX_DEPTH} hooks have caused one another; let the window last."
        raise Conflict(message, code="CHAIN_TOO_LONG")


def _row(transaction: RoomTransaction, effect: OpenWindow, rules: JsonObject | None) -> WindowRow:
    opens_at = transaction.now + timedelta(milliseconds=effect.opens_in_ms)
    lasts = effect.duration_ms
    closes_at = None if lasts is None else opens_at + timedelta(milliseconds=lasts)
    soon = closes_at is not None and closes_at <= transaction.now + SAME_CHAIN
    return WindowRow(
        room_id=transaction.room.id,
        key=effect.id,
        status=WindowStatus.OPEN,
        prompt=effect.prompt,
        accepts=effect.accepts,
        data=effect.data,
        roles=[str(role) for role in effect.roles],
        participants=None if effect.participants is None else list(effect.participants),
        submissions=effect.submissions,
        min_elapsed_ms=effect.min_elapsed_ms,
        close_on=effect.close_on,
        judge=effect.judge,
        rules=rules,
        fold=list(effect.fold),
        fold_locale=transaction.room.locale,
        points=effect.points,
        announce_verdicts=effect.announce.verdicts,
        announce_standings=effect.announce.standings,
        results=effect.results,
        shared=[],
        depth=transaction.depth + 1 if soon else 0,
        opens_at=opens_at,
        closes_at=closes_at,
        due_at=closes_at,
        checked_at=transaction.now,
        created_at=transaction.now,
    )


def _record(transaction: RoomTransaction, window: WindowRow) -> None:
    transaction.record(
        WindowOpened(
            window_id=window.key,
            prompt=window.prompt,
            accepts=window.accepts,
            opens_at=window.opens_at,
            closes_at=window.closes_at,
            submissions=SubmissionMode(window.submissions),
            min_elapsed_ms=window.min_elapsed_ms,
            roles=tuple(map(Role, window.roles)),
            restricted=window.participants is not None,
            results=window.results,
        )
    )


def _require_active_room(transaction: RoomTransaction) -> None:
    if transaction.room.status != RoomStatus.ACTIVE:
        message = "Windows are opened while the room is running."
        raise Conflict(message, code="ROOM_NOT_ACTIVE")


async def _require_unused_key(transaction: RoomTransaction, key: str) -> None:
    rows = (
        select(func.count()).select_from(WindowRow).where(WindowRow.room_id == transaction.room.id)
    )
    total, under_way, same = [
        await transaction.session.scalar(query) or 0
        for query in (
            rows,
            rows.where(WindowRow.status.in_(UNDER_WAY)),
            rows.where(WindowRow.key == key),
        )
    ]
    if same:
        message = f"The room has had a window {key!r} already; take another id."
        raise Conflict(message, code="WINDOW_ID_USED")
    if under_way >= MAX_OPEN or total >= MAX_WINDOWS:
        message = f"A room has {MAX_OPEN} open windows at most, and {MAX_WINDOWS} in all."
        raise Conflict(message, code="TOO_MANY_WINDOWS")


def _checked(effect: OpenWindow, locale: str) -> JsonObject | None:
    """Return the rules as they are stored; raise if they cannot be used."""
    for part, most in (
        (effect.prompt, MAX_PART_BYTES),
        (effect.data, MAX_PART_BYTES),
        (effect.rules or {}, MAX_PART_BYTES),
        (effect.accepts, MAX_ACCEPTS_BYTES),
    ):
        check_size(part, most)
    try:
        rules = None if effect.rules is None else fold_rules(effect.rules, effect.fold, locale)
        for schema in (effect.accepts, rules):
            if schema is not None:
                compile_schema(schema)
    except (SchemaRefused, ValueError) as refused:
        raise Conflict(
            f"A schema of the window is refused: {refused}", code="SCHEMA_REFUSED"
        ) from refused
    return rules


def check_size(part: JsonObject, most: int) -> None:
    """Raise TooLarge if a part of a window exceeds its limit."""
    size = len(orjson.dumps(part))
    if size > most:
        message = f"A part of the window has {size} bytes; at most {most} are kept."
        raise TooLarge(message, code="WINDOW_TOO_LARGE")
