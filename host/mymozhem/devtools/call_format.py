"""Formats a hook call for the terminal: one block, with long lists shortened."""

import json
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, JsonValue

from mymozhem.contract import Context, Effects, JsonObject, Refuse
from mymozhem.contract.payloads import Refusal

from .call_recorder import RecordedCall

MAX_ITEMS = 3
MAX_TEXT = 200
MAX_LINE = 600
_RULE = 78
#: whether the call that is being formatted is shown whole
_whole: ContextVar[bool] = ContextVar("whole", default=False)


def block(seen: RecordedCall, *, code: Path, at: datetime, full: bool = False) -> str:
    """Return a call as text of several lines; a traceback shows only frames in `code`.

    With `full`, lists and texts are shown whole.
    """
    if full:
        _whole.set(True)
    try:
        return _block(seen, code, at)
    finally:
        _whole.set(False)


def _block(seen: RecordedCall, code: Path, at: datetime) -> str:
    head = f"── {at:%H:%M:%S}  {seen.hook}{_what(seen.request)}  {_who(seen.context)}  "
    head += f"{seen.duration_ms:.1f} ms "
    lines = [*_asked(seen), *_answered(seen, code)]
    return "\n".join([head.ljust(_RULE, "─"), *(f"   {line}" for line in lines), ""])


def shortened(value: JsonValue) -> JsonValue:
    """Return a value with long lists and long texts cut, and marked as cut."""
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        kept = [shortened(each) for each in value[:MAX_ITEMS]]
        left = len(value) - MAX_ITEMS
        return [*kept, f"… {left} more"] if left > 0 else kept
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:MAX_TEXT]}… {len(value) - MAX_TEXT} more"
    return value


def _what(request: BaseModel) -> str:
    """Return which action, timer or window the request is about."""
    for name in ("action", "name", "purpose"):
        if isinstance(found := getattr(request, name, None), str):
            return f" {found}"
    for name in ("window", "change"):
        if (part := getattr(request, name, None)) is not None:
            return f" {getattr(part, 'id', None) or getattr(part, 'kind', '')}"
    return ""


def _who(context: Context) -> str:
    if context.actor is None:
        return "nobody"
    return " ".join(filter(None, (context.actor.role, context.actor.participant_id)))


def _asked(seen: RecordedCall) -> Iterator[str]:
    room = seen.context.room
    if room is not None:
        yield _line("settings", room.settings)
        yield _line("state", {name: part for name, part in room.state if part})
    if seen.context.actor is not None and (data := _plain(seen.context.actor.data)) != _EMPTY:
        yield _line("actor", data)
    for name in ("prizes", "winners", "reserves", "participants", "submissions"):
        needed = getattr(seen.context, name)
        if needed is not None:
            many = isinstance(needed, tuple)
            yield _line(name, [_plain(each) for each in needed] if many else _plain(needed))
    yield _line("request", _plain(seen.request))


_EMPTY: JsonObject = {"own": {}, "private": {}}


def _answered(seen: RecordedCall, code: Path) -> Iterator[str]:
    error = seen.error
    if isinstance(error, Refuse):
        yield _refused(error.refusal)
    elif error is not None:
        yield f"raised   {type(error).__name__}: {error}"
        yield from _frames(error, code)
    elif isinstance(seen.answer, Refusal):
        yield _refused(seen.answer)
    elif isinstance(seen.answer, Effects):
        yield from _effects(seen.answer)
    else:
        yield _line("result", _plain(seen.answer))


def _refused(refusal: Refusal) -> str:
    details = f" {_json(refusal.details)}" if refusal.details else ""
    return f"refused  {refusal.code}: {refusal.message}{details}"


def _effects(answer: Effects) -> Iterator[str]:
    for number, effect in enumerate(answer.effects):
        said = effect.model_dump(mode="json", by_alias=True, exclude_unset=True)
        said.pop("effect", None)
        yield f"{'' if number else 'effects':<9}{effect.effect} {_json(said)}"
    if not answer.effects:
        yield "effects  none"
    rest = answer.model_dump(mode="json", by_alias=True, exclude={"effects"}, exclude_none=True)
    if rest:
        yield _line("also", rest)


def _frames(error: BaseException, code: Path) -> Iterator[str]:
    """Yield the frames in the app's code; all frames if none is in it."""
    every = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in every if Path(frame.filename).resolve().is_relative_to(code)]
    for text in traceback.format_list(inside or every):
        yield from text.rstrip().splitlines()


def _plain(value: object) -> JsonValue:
    if isinstance(value, BaseModel):
        said: JsonValue = value.model_dump(mode="json", by_alias=True, exclude_none=True)
        return said
    return value if isinstance(value, dict | list | str | int | float) else repr(value)


def _line(name: str, value: JsonValue) -> str:
    return f"{name:<8} {_json(value)}"


def _json(value: JsonValue) -> str:
    if _whole.get():
        return json.dumps(value, ensure_ascii=False, default=repr)
    text = json.dumps(shortened(value), ensure_ascii=False, default=repr)
    return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}… {len(text) - MAX_LINE} more"
