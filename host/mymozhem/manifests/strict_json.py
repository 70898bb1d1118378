"""Parse untrusted JSON strictly, and refuse it before it can do harm.

Python's own parser accepts duplicate keys, NaN, lone surrogates and any depth; PostgreSQL accepts
no NUL; and many other parsers lose the precision of numbers beyond ±(2⁵³-1). All are refused here.
"""

import json
import math
import re
from collections import Counter
from typing import Never

from pydantic import JsonValue

from mymozhem.contract.canonical_json import MAX_INTEGER, canonical_json

from .json_pointer import Part, pointer

MAX_DEPTH = 32
_INTEGER_DIGITS = 17  # a sign and sixteen digits: a longer number is refused without parsing

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_SUSPECT = re.compile(rb"\\[ubfnrt]|\x7f|\xc2[\x80-\x9f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CONTROL_IN_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class StrictJsonError(ValueError):
    """The text is no JSON that can be accepted; `code`, `pointer` and `message` say why."""

    def __init__(self, code: str, message: str, pointer: str = "") -> None:
        self.code = code
        self.message = message
        self.pointer = pointer
        super().__init__(message)


def loads(data: bytes | str, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Parse one JSON document; StrictJsonError, with a code, for any text that is not strict.

    Codes: TOO_LARGE, NOT_UTF8, TOO_DEEP, SYNTAX, DUPLICATE_KEY, NOT_A_NUMBER, NUMBER_RANGE,
    LONE_SURROGATE, CONTROL_CHARACTER. Size and depth are checked before anything is parsed, so that
    neither 10 MB nor 100,000 brackets cost more than one scan. Tabs and line ends are allowed in
    text if escaped; other control characters are not, and names have none.
    """
    raw = _bytes(data, max_bytes)
    _check_depth(raw, max_depth)
    value = _parse(raw)
    if _SUSPECT.search(raw):
        check_text(value)
    return value


def from_python(value: object, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Return a copy of a Python value, if it is exactly what `loads` could have returned.

    Only dict with names of type str, list, str, int, float, bool and None are accepted: no tuple,
    no subclass, no date. Codes: NOT_JSON for these, and those of `loads`.
    """
    copy = _Copier(max_bytes, max_depth).copy(value, ())
    check_text(copy)
    if len(canonical_json(copy)) > max_bytes:
        raise StrictJsonError("TOO_LARGE", f"the document is larger than {max_bytes:,} bytes")
    return copy


class _Copier:
    def __init__(self, most: int, max_depth: int) -> None:
        self._left = most
        self._max_depth = max_depth

    def copy(self, value: object, path: tuple[Part, ...]) -> JsonValue:
        self._left -= (
            1  # every value takes a byte at least, so this stops at a value that contains itself
        )
        if self._left < 0:
            raise StrictJsonError("TOO_LARGE", "the document holds too many values")
        if isinstance(value, dict | list) and len(path) >= self._max_depth:
            message = f"the document is nested deeper than {self._max_depth} levels"
            raise StrictJsonError("TOO_DEEP", message)
        if type(value) is list:
            return [self.copy(item, (*path, index)) for index, item in enumerate(value)]
        if type(value) is dict:
            return {_name(k, path): self.copy(item, (*path, k)) for k, item in value.items()}
        return _plain(value, path)


def _name(name: object, path: tuple[Part, ...]) -> str:
    if type(name) is not str:
        message = f"a name is a string, not {type(name).__name__}"
        raise StrictJsonError("NOT_JSON", message, pointer(path))
    return name


def _plain(value: object, path: tuple[Part, ...]) -> JsonValue:
    if value is None or type(value) is bool or type(value) is str:
        return value
    if type(value) is int and abs(value) <= MAX_INTEGER:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int or type(value) is float:
        raise StrictJsonError("NUMBER_RANGE", f"{value!r:.30} is no number of JSON", pointer(path))
    message = f"{type(value).__name__} is no JSON; write dict, list, str, int, float, bool or None"
    raise StrictJsonError("NOT_JSON", message, pointer(path))


def check_text(value: JsonValue) -> None:
    """Raise StrictJsonError at the first text with a lone surrogate or control character."""
    waiting: list[tuple[tuple[Part, ...], JsonValue]] = [((), value)]
    while waiting:
        path, found = waiting.pop()
        if isinstance(found, str):
            _check_string(found, path, _CONTROL)
        elif isinstance(found, list):
            waiting.extend(((*path, index), item) for index, item in enumerate(found))
        elif isinstance(found, dict):
            for name in found:
                _check_string(name, path, _CONTROL_IN_NAME)
            waiting.extend(((*path, name), item) for name, item in found.items())


def _bytes(data: bytes | str, max_bytes: int) -> bytes:
    if len(data) > max_bytes:
        raise StrictJsonError("TOO_LARGE", f"the document is larger than {max_bytes:,} bytes")
    try:
        raw = data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError as error:
        raise StrictJsonError("LONE_SURROGATE", "the text holds half of a character") from error
    if len(raw) > max_bytes:
        raise StrictJsonError("TOO_LARGE", f"the document is larger than {max_bytes:,} bytes")
    return raw


def _check_depth(raw: bytes, max_depth: int) -> None:
    brackets = _STRING.sub(b"", raw).translate(_AS_SQUARE, _NOT_BRACKETS)
    for _ in range(max_depth):  # each pass removes the innermost level
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    if b"[]" in brackets or brackets.count(b"[") > max_depth:
        raise StrictJsonError("TOO_DEEP", f"the document is nested deeper than {max_depth} levels")


def _parse(raw: bytes) -> JsonValue:
    try:
        value: JsonValue = _DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        raise StrictJsonError("NOT_UTF8", f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        message = f"{error.msg}, in line {error.lineno}, column {error.colno}"
        raise StrictJsonError("SYNTAX", message) from error
    return value


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    made = dict(pairs)
    if len(made) != len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise StrictJsonError(
            "DUPLICATE_KEY", f"the name {twice[:80]!r} stands twice in one object"
        )
    return made


def _integer(text: str) -> int:
    value = int(text) if len(text) <= _INTEGER_DIGITS else MAX_INTEGER + 1
    if abs(value) > MAX_INTEGER:
        raise StrictJsonError("NUMBER_RANGE", f"the number {text[:20]}… is beyond ±(2⁵³-1)")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise StrictJsonError("NUMBER_RANGE", f"the number {text[:20]} is too large")
    return value


def _constant(text: str) -> Never:
    raise StrictJsonError("NOT_A_NUMBER", f"{text} is no JSON; write a number or null")


def _check_string(text: str, path: tuple[Part, ...], control: re.Pattern[str]) -> None:
    if _SURROGATE.search(text):
        raise StrictJsonError("LONE_SURROGATE", "the text holds half of a character", pointer(path))
    found = control.search(text)
    if found:
        message = f"the text holds the control character U+{ord(found[0]):04X}"
        raise StrictJsonError("CONTROL_CHARACTER", message, pointer(path))


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
