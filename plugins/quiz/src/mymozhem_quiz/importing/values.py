"""Single values of a question: texts and numbers that every JSON parser can read."""

import re
from collections.abc import Iterator

from pydantic import JsonValue

from .problems import Fault, fault

#: many JSON parsers do not keep larger integers exactly
MAX_NUMBER = 2**53 - 1

LOST = "\ufffd"

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

Span = tuple[int, int]


def check_text(
    value: JsonValue, pointer: str, field: str, *, limit: int, empty: str = "EMPTY_TEXT"
) -> Iterator[Fault]:
    """Yield what is wrong with a text; `empty` is the code for an empty text."""
    if not isinstance(value, str):
        yield fault("NOT_TEXT", pointer, field=field)
        return
    if not value.strip():
        yield fault(empty, pointer, field=field)
    if len(value) > limit:
        yield fault("TEXT_TOO_LONG", pointer, field=field, length=len(value), limit=limit)
    if LOST in value:
        yield fault("BAD_ENCODING", pointer)
    control = _CONTROL.search(value)
    if control:
        name = f"U+{ord(control[0]):04X}"
        yield fault("CONTROL_CHARACTER", pointer, field=field, name=name)


def check_number(value: JsonValue, pointer: str, field: str, *, span: Span) -> Iterator[Fault]:
    """Yield what is wrong with a number; NaN is in no range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield fault("NOT_NUMBER", pointer, field=field)
    elif not span[0] <= value <= span[1]:
        yield fault("OUT_OF_RANGE", pointer, field=field, least=span[0], most=span[1])


def check_whole(value: JsonValue, pointer: str, field: str, *, span: Span) -> Iterator[Fault]:
    """Yield what is wrong with a whole number; 30.0 is one, as in JSON Schema."""
    faults = list(check_number(value, pointer, field, span=span))
    yield from faults
    if not faults and isinstance(value, float) and not value.is_integer():
        yield fault("NOT_WHOLE", pointer, field=field)
