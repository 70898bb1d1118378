"""How the value of a public source is written: its format, and the one canonical form.

A value decides a draw, so nobody may choose among its spellings. The rule of a draw fixes the
format of every source before the value is known. The canonical form of numbers is that of RFC 3797,
section 4.1: decimal without leading zeros, each followed by a dot, ascending unless their order
counts. The canonical form of bytes is lower-case hex.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mymozhem.contract.fair.errors import InvalidPublicInput

from .wire import MAX_SAFE_INTEGER, Wire

PublicValue = str | Sequence[int]

MAX_NUMBERS = 64
MAX_BYTES = 512

_NUMBERS = re.compile(r"\d{1,20}(?:[\s,;.]+\d{1,20})*[\s,;.]*", re.ASCII)
_HEX = re.compile(r"(?:0x)?((?:[0-9a-f]{2})+)", re.ASCII)

Bound = Annotated[int, Field(ge=0, le=MAX_SAFE_INTEGER)]


class NumbersFormat(Wire):
    """So many whole numbers between two bounds; without `ordered` their order does not count."""

    kind: Literal["numbers"] = "numbers"
    count: Annotated[int, Field(ge=1, le=MAX_NUMBERS)]
    min: Bound
    max: Bound
    ordered: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min > self.max:
            raise ValueError("the smallest number is above the greatest")
        return self

    def __str__(self) -> str:
        order = "in the published order" if self.ordered else "in any order"
        numbers = "1 number" if self.count == 1 else f"{self.count} numbers"
        return f"{numbers} from {self.min} to {self.max}, {order}"


class HexFormat(Wire):
    """So many bytes, written in hex."""

    kind: Literal["hex"] = "hex"
    bytes: Annotated[int, Field(ge=1, le=MAX_BYTES)]

    def __str__(self) -> str:
        return f"{self.bytes} {'byte' if self.bytes == 1 else 'bytes'} in hex"


ValueFormat = Annotated[NumbersFormat | HexFormat, Field(discriminator="kind")]


def canonical_value(value: PublicValue, form: NumbersFormat | HexFormat) -> str:
    """Return the canonical form of a value; idempotent. InvalidPublicInput if it does not fit.

    Numbers are a list, or a text with blanks, commas, semicolons or dots between them. Bytes are a
    text of hex digits, with `0x` in front or without.
    """
    if isinstance(form, NumbersFormat):
        return _numbers(value, form)
    return _hex(value, form)


def unformatted_value(value: PublicValue) -> str:
    """Return the canonical form of a value whose rule fixed no format; idempotent.

    For draws that were committed before rules fixed formats. A text is folded first (NFKC, lower
    case, single blanks); a text of numbers then counts as these numbers in ascending order. This
    leaves little choice among spellings, but only a format leaves none.
    """
    if not isinstance(value, str):
        return public_text(value)
    folded = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    return public_text(_parsed(folded) if _NUMBERS.fullmatch(folded) else folded)


def public_text(value: PublicValue) -> str:
    """Return the text that a value without a format has in the input of a draw.

    A text is used as it is and has no slash. Numbers are sorted ascending, each followed by a dot:
    `[12, 5]` is `5.12.` (RFC 3797, section 4.1). InvalidPublicInput if there is none.
    """
    if not value:
        raise InvalidPublicInput("a public source gave no value")
    if not isinstance(value, str):
        return _dotted(sorted(_whole(value)))
    if "/" in value:
        raise InvalidPublicInput(
            "the value of a public source contains a slash, which parts values"
        )
    return value


def _numbers(value: PublicValue, form: NumbersFormat) -> str:
    numbers = _parsed(value)
    if len(numbers) != form.count:
        raise InvalidPublicInput(f"{len(numbers)} numbers came; the format is {form}")
    for number in numbers:
        if not form.min <= number <= form.max:
            raise InvalidPublicInput(f"{number} is out of range; the format is {form}")
    return _dotted(numbers if form.ordered else sorted(numbers))


def _parsed(value: PublicValue) -> list[int]:
    if not isinstance(value, str):
        return _whole(value)
    text = value.strip()
    if not _NUMBERS.fullmatch(text):
        raise InvalidPublicInput(
            "this is no list of whole numbers; write digits, with blanks or commas in between"
        )
    return _whole([int(number) for number in re.findall(r"\d+", text, re.ASCII)])


def _whole(values: Sequence[int]) -> list[int]:
    for number in values:
        if type(number) is not int or not 0 <= number <= MAX_SAFE_INTEGER:
            raise InvalidPublicInput(
                "the numbers of a public source are whole, not negative, and at most 2^53-1"
            )
    return list(values)


def _dotted(numbers: Sequence[int]) -> str:
    return "".join(f"{number}." for number in numbers)


def _hex(value: PublicValue, form: HexFormat) -> str:
    found = _HEX.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise InvalidPublicInput(f"this is not written in hex; the format is {form}")
    digits = found[1]
    if len(digits) != 2 * form.bytes:
        raise InvalidPublicInput(f"{len(digits) // 2} bytes came; the format is {form}")
    return digits
