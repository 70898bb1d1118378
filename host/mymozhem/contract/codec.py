"""Encode what an app's function returned as JSON, and decode and validate it in the host.

Every result crosses the border as bytes, also that of an in-process app. So it is the same as over
the wire, it is checked as a whole whatever the app does to its objects, and the host shares no
objects with the app.
"""

import inspect
import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from .canonical_json import MAX_INTEGER
from .hooks import Hook
from .payloads import Effects, Refusal

MAX_ANSWER_BYTES = 1024 * 1024
MAX_PROBLEMS = 5
#: beyond this, problems are counted and not named: a result can have a million, and to list them
#: would block the event loop for seconds
MAX_LISTED = 1_000
_PLACE_LENGTH, _WHY_LENGTH = 80, 240

# PostgreSQL cannot store NUL as text. An even number of backslashes before it escapes only itself.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

# A number with fewer digits is small enough for every JSON parser. After all digits are replaced by
# 0, one substring search finds such numbers; a regular expression would try at every byte.
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_MAYBE_BIG = b"0" * 16
# What JSON does not have, but its parsers accept; the same words may be in a text.
_CONSTANTS = (b"NaN", b"Infinity")

Res = TypeVar("Res", bound=BaseModel)


class NoAnswer(Exception):
    """An app returned something that is no result of the hook; the message contains no values."""


class Answer(NamedTuple):
    """What an app returned, as JSON: the hook's result, or a `Refusal`."""

    data: bytes
    refused: bool = False


def encode(hook: Hook[BaseModel, BaseModel], answer: object) -> Answer:
    """Return as JSON what an app's function returned; `NoAnswer` if it is no result of the hook.

    Accepted are the hook's result, a mapping of its fields, a list of effects if the result has
    effects, a `Refusal`, and None.
    """
    if type(answer) is hook.result:  # nearly always
        return Answer(_json(answer))
    if isinstance(answer, Refusal):
        return Answer(_json(answer), refused=True)
    if answer is None:
        return Answer(b"null")
    if isinstance(answer, list | tuple) and issubclass(hook.result, Effects):
        answer = {"effects": answer}
    if isinstance(answer, Mapping):
        answer = _validated(hook.result, answer)
    if isinstance(answer, BaseModel):
        return Answer(_json(answer))
    raise _no_answer(hook, answer)


def decode(hook: Hook[BaseModel, Res], answer: Answer) -> Res | Refusal:
    """Return the validated result or refusal; `NoAnswer` if it is invalid."""
    if len(answer.data) > MAX_ANSWER_BYTES:
        raise NoAnswer(f"The result is larger than {MAX_ANSWER_BYTES} bytes.")
    if b"\\u0000" in answer.data and _NUL.search(answer.data):
        raise NoAnswer("The result contains the character NUL.")
    _check_number_sizes(answer)
    if answer.refused:
        return _refusal(hook, answer)
    if answer.data == b"null":
        return _nothing(hook)
    try:
        return hook.result.model_validate_json(answer.data)
    except ValidationError as error:
        raise NoAnswer(
            _summary(hook.result, error)
        ) from None  # the original message would show all values


def _check_number_sizes(answer: Answer) -> None:
    """Refuse numbers that the host also refuses in clients' requests (RFC 8259, section 6)."""
    data = answer.data
    if _MAYBE_BIG not in data.translate(_DIGITS) and not any(word in data for word in _CONSTANTS):
        return
    try:
        json.loads(data, parse_int=_small, parse_float=_finite, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(f"The result is not JSON that can be stored: {error}.") from error


def _small(text: str) -> int:
    number = int(text) if len(text) <= len(str(-MAX_INTEGER)) else MAX_INTEGER + 1
    if abs(number) > MAX_INTEGER:
        message = "a number in it is beyond ±(2⁵³-1)"
        raise ValueError(message)
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        message = "a number in it is too large"
        raise ValueError(message)
    return number


def _no_constant(text: str) -> NoReturn:
    message = f"a number in it is {text}, which JSON does not have"
    raise ValueError(message)


def _refusal(hook: Hook[BaseModel, BaseModel], answer: Answer) -> Refusal:
    if not hook.asked:
        raise NoAnswer(f"{hook.name} is a notification: it cannot refuse.")
    try:
        return Refusal.model_validate_json(answer.data)
    except ValidationError as error:
        raise NoAnswer(_summary(Refusal, error)) from None


def _nothing(hook: Hook[BaseModel, Res]) -> Res:
    if not hook.empty:
        raise NoAnswer(f"{hook.name} returned nothing; it must return {hook.result.__name__}.")
    return hook.result()


def _validated(result: type[BaseModel], answer: object) -> BaseModel:
    try:
        return result.model_validate(answer)
    except ValidationError as error:
        raise NoAnswer(_summary(result, error)) from None


def _json(answer: BaseModel) -> bytes:
    try:
        # No warnings about wrong types here: validation of the bytes finds them.
        return to_json(answer, by_alias=True)
    except Exception as error:  # the app may put in anything: cycles, surrogates, live objects
        raise NoAnswer(f"The result is not JSON ({type(error).__name__}).") from error


def _no_answer(hook: Hook[BaseModel, BaseModel], answer: object) -> NoAnswer:
    kind = type(answer).__name__
    if inspect.iscoroutine(answer):
        answer.close()  # nobody awaits it, and Python would warn about that
        return NoAnswer(f"{hook.name} returned a coroutine; declare it with `async def`.")
    return NoAnswer(f"{hook.name} returned {kind}; return {hook.result.__name__} or a mapping.")


def _summary(result: type[BaseModel], error: ValidationError) -> str:
    """Name the first problems by place, without the values: those may be secrets of the room.

    The app chooses the names of fields, of any length, so they are cut.
    """
    count = error.error_count()
    if count > MAX_LISTED:
        return f"The result is no valid {result.__name__}: {count:,} values in it are wrong."
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    named = "; ".join(
        f"{_place(problem['loc'])}: {_cut(problem['msg'], _WHY_LENGTH)}"
        for problem in problems[:MAX_PROBLEMS]
    )
    return f"The result is no valid {result.__name__}: {named}."


def _place(path: tuple[str | int, ...]) -> str:
    return _cut(".".join(str(part) for part in path), _PLACE_LENGTH) or "the whole"


def _cut(text: str, most: int) -> str:
    """Return a text cut to one printable line, so that it cannot forge a line of a log."""
    line = "".join(each if each.isprintable() else "\ufffd" for each in text[:most])
    return f"{line}…" if len(text) > most else line
