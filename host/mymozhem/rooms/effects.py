"""Apply the effects that an app returned, in one transaction: all of them, or none."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import JsonValue

from mymozhem.auth.name_rules import title_problems
from mymozhem.contract import (
    AddPrize,
    Adjust,
    Award,
    Cancel,
    ChangeWindow,
    CloseReason,
    CloseWindow,
    Draw,
    DrawItems,
    Effect,
    Emit,
    Fulfill,
    Level,
    Notify,
    OpenWindow,
    Rejudge,
    Reply,
    Reveal,
    RevealWindow,
    Revoke,
    RunDraw,
    Schedule,
    SetParticipants,
    SetSettings,
    SetState,
    Share,
)
from mymozhem.errors import Conflict, Invalid, MymozhemError
from mymozhem.manifests.enums import Permission
from mymozhem.manifests.model import Manifest

from . import app_state, scores, timers
from .app_settings import update
from .core.audiences import streams_for
from .core.transaction import RoomTransaction
from .draws import commands
from .notifications.send import send_notification
from .prizes import winners
from .prizes.manage import NewPrize, add_prize
from .windows import rejudge
from .windows.close import change_end, close_soon
from .windows.open import open_window
from .windows.queries import find_window
from .windows.settle import reveal
from .windows.share import share

#: effects that a permission in the manifest allows
PERMISSIONS: Mapping[type[Any], Permission] = {AddPrize: Permission.PRIZES_WRITE}

WIDTH = {Level.PRIVATE: 0, Level.ORGANIZER: 1, Level.PUBLIC: 2}


class EffectRefused(Conflict):
    """The app returned an effect that it may not have; nothing was changed."""

    default_code = "EFFECT_REFUSED"


_MISTAKE = (
    "The app of this room made a mistake, so nothing was changed. Tell the organizer if it happens "
    "again."
)


async def apply_effects(transaction: RoomTransaction, effects: Sequence[Effect]) -> JsonValue:
    """Apply effects in order and return the data of the last reply, or None without one.

    Raises EffectRefused, which names the effect that cannot be applied; the caller's transaction
    then rolls back.
    """
    reply: JsonValue = None
    for index, effect in enumerate(effects):
        if isinstance(effect, Reply):
            reply = effect.data
            continue
        try:
            await _apply(transaction, effect)
        except MymozhemError as error:
            raise _refused(index, effect, error) from error
    return reply


@contextmanager
def telling_plainly(*, for_staff: bool) -> Iterator[None]:
    """Replace the message of a refused effect, which only staff and authors can use.

    The details name it too, as `reason`.
    """
    try:
        yield
    except EffectRefused as error:
        if for_staff:
            raise
        raise EffectRefused(_MISTAKE, code=error.code, details=error.details) from error


async def _apply(transaction: RoomTransaction, effect: Effect) -> None:
    _require_permission(transaction.manifest, effect)
    await _ACTS[type(effect)](transaction, effect)


def _require_permission(manifest: Manifest, effect: Effect) -> None:
    """Raise unless the version that the room is locked to declares what the effect needs."""
    required = PERMISSIONS.get(type(effect))
    if required is None or required in manifest.permissions:
        return
    message = f"The manifest does not declare the permission {required}."
    granted = sorted(manifest.permissions)
    details = {"required": [required], "granted": granted}
    raise EffectRefused(message, code="APP_PERMISSION_DENIED", details=details)


def _refused(index: int, effect: Effect, error: MymozhemError) -> EffectRefused:
    reason = f"{effect.effect}: {error.message}"
    facts = {"index": index, "effect": effect.effect, "code": error.code, "reason": reason}
    return EffectRefused(reason, details={**error.details, **facts})


async def _emit(transaction: RoomTransaction, effect: Emit) -> None:
    declared = transaction.manifest.events.get(effect.type)
    if declared is None:
        message = f"The manifest declares no event {effect.type!r}."
        raise EffectRefused(message, code="EVENT_UNDECLARED")
    _check_audience(effect, declared.visibility)
    problems = declared.validator.errors(effect.payload)
    if problems:
        message = f"The payload of {effect.type!r} breaks its schema: {problems[0].message}"
        raise EffectRefused(message, code="PAYLOAD_INVALID")
    for stream in await streams_for(transaction, effect.to):
        transaction.record_raw(effect.type, effect.payload, to=stream)


def _check_audience(effect: Emit, declared: Level) -> None:
    """Raise if the audience is wider than the manifest allows; participants count as public."""
    asked = effect.to if isinstance(effect.to, Level) else Level.PUBLIC
    if WIDTH[asked] > WIDTH[declared]:
        message = f"{effect.type!r} is declared for {declared}; it may not go to {asked}."
        raise EffectRefused(message, code="VISIBILITY_TOO_WIDE")


async def _set_state(transaction: RoomTransaction, effect: SetState) -> None:
    parts = {
        level: part
        for level, part in (
            (Level.PUBLIC, effect.public),
            (Level.ORGANIZER, effect.organizer),
            (Level.PRIVATE, effect.private),
        )
        if part is not None
    }
    await app_state.replace_state(transaction, parts, merge=effect.merge)


async def _set_participants(transaction: RoomTransaction, effect: SetParticipants) -> None:
    await app_state.replace_people(
        transaction,
        effect.participant_id,
        own=effect.own,
        private=effect.private,
        merge=effect.merge,
    )


async def _set_settings(transaction: RoomTransaction, effect: SetSettings) -> None:
    update.patch_settings(transaction, effect.patch)


async def _adjust(transaction: RoomTransaction, effect: Adjust) -> None:
    await scores.adjust(
        transaction, effect.participant_id, points=effect.points, reason=effect.reason
    )


async def _award(transaction: RoomTransaction, effect: Award) -> None:
    await winners.award(
        transaction,
        participant_id=effect.participant_id,
        prize_id=effect.prize_id,
        metadata=effect.metadata,
    )


async def _add_prize(transaction: RoomTransaction, effect: AddPrize) -> None:
    if problems := title_problems(effect.name):
        raise Invalid("The name of the prize cannot be used: " + " ".join(problems))
    new = NewPrize(name=effect.name, quantity=effect.quantity, metadata=effect.metadata)
    await add_prize(transaction, new)


async def _fulfill(transaction: RoomTransaction, effect: Fulfill) -> None:
    await winners.fulfill(transaction, effect.winner_id)


async def _revoke(transaction: RoomTransaction, effect: Revoke) -> None:
    await winners.revoke(transaction, effect.winner_id, reason=effect.reason)


async def _schedule(transaction: RoomTransaction, effect: Schedule) -> None:
    await timers.schedule(
        transaction, effect.name, at=effect.at, after_ms=effect.after_ms, payload=effect.payload
    )


async def _cancel(transaction: RoomTransaction, effect: Cancel) -> None:
    await timers.cancel(transaction, effect.name)


async def _draw(transaction: RoomTransaction, effect: Draw) -> None:
    await commands.request(transaction, commands.request_of(effect))


async def _draw_items(transaction: RoomTransaction, effect: DrawItems) -> None:
    await commands.request(transaction, commands.request_of_items(effect))


async def _run_draw(transaction: RoomTransaction, effect: RunDraw) -> None:
    await commands.run(transaction, await commands.by_key(transaction, effect.key))


async def _reveal(transaction: RoomTransaction, effect: Reveal) -> None:
    draw = await commands.by_key(transaction, effect.key)
    await commands.reveal(transaction, draw, prizes=effect.prizes, count=effect.next)


async def _notify(transaction: RoomTransaction, effect: Notify) -> None:
    await send_notification(transaction, to=effect.to, title=effect.title, message=effect.message)


async def _change_window(transaction: RoomTransaction, effect: ChangeWindow) -> None:
    window = await find_window(transaction.session, transaction.room.id, effect.id)
    change_end(transaction, window, effect.closes_at)


async def _close_window(transaction: RoomTransaction, effect: CloseWindow) -> None:
    window = await find_window(transaction.session, transaction.room.id, effect.id)
    close_soon(transaction, window, CloseReason.APP)


async def _reveal_window(transaction: RoomTransaction, effect: RevealWindow) -> None:
    await reveal(
        transaction, await find_window(transaction.session, transaction.room.id, effect.id)
    )


async def _share(transaction: RoomTransaction, effect: Share) -> None:
    window = await find_window(transaction.session, transaction.room.id, effect.window_id)
    await share(transaction, window, effect)


async def _rejudge(transaction: RoomTransaction, effect: Rejudge) -> None:
    window = await find_window(transaction.session, transaction.room.id, effect.window_id)
    if effect.void:
        await rejudge.void(transaction, window)
    else:
        await rejudge.rejudge(transaction, window, rules=effect.rules, verdicts=effect.verdicts)


_ACTS: dict[type[Any], Callable[[RoomTransaction, Any], Awaitable[None]]] = {
    Emit: _emit,
    SetState: _set_state,
    SetParticipants: _set_participants,
    SetSettings: _set_settings,
    OpenWindow: open_window,
    ChangeWindow: _change_window,
    CloseWindow: _close_window,
    RevealWindow: _reveal_window,
    Share: _share,
    Rejudge: _rejudge,
    Adjust: _adjust,
    Award: _award,
    AddPrize: _add_prize,
    Fulfill: _fulfill,
    Revoke: _revoke,
    Schedule: _schedule,
    Cancel: _cancel,
    Draw: _draw,
    DrawItems: _draw_items,
    RunDraw: _run_draw,
    Reveal: _reveal,
    Notify: _notify,
}
