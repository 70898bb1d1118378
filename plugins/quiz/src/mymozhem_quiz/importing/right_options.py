"""Find the options that a cell of a table marks as right: by letter, by number, or by their text.

A cell that can be read in two ways is ambiguous: nobody guesses the key of a quiz. `4` may be the
fourth option or the option with the text 4; a Cyrillic letter may be the third of its
alphabet and look like the second of the Latin one.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from mymozhem.contract import fold_text

from .lines import one_line

MOST = 8

#: the places that a letter can stand for, by alphabet and by its look
_PLACES: dict[str, frozenset[int]] = {}
for _alphabet in ("abcdefgh", "абвгдежз", "αβγδεζη"):
    for _place, _letter in enumerate(_alphabet, start=1):
        _PLACES[_letter] = frozenset({_place})
for _letter, _latin in {"а": 1, "в": 2, "с": 3, "е": 5, "н": 8, "η": 8}.items():  # noqa: RUF001  they look alike
    _PLACES[_letter] = _PLACES.get(_letter, frozenset()) | {_latin}

_BETWEEN = re.compile(r"[;|,\s]+")
_BETWEEN_TEXTS = (re.compile(r"[;|]"), re.compile(r"[;|,]"))
_BEFORE = re.compile(r"^option[\s_-]*")
_BEHIND = re.compile(r"[.)]\s*$")

#: no letter or number is longer, and no cell with the texts of all options
_LONGEST_NAME = 20
_LONGEST = 2_000


class NoSuchOption(ValueError):
    """The cell names something that is no option; `part` is the first such part."""

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(part)


class Ambiguous(ValueError):
    """The cell can be read in several ways; `places` are those of the options it may name."""

    def __init__(self, places: frozenset[int]) -> None:
        self.places = tuple(sorted(places))
        super().__init__(self.places)


def right_options(cell: str, texts: Mapping[int, str], *, one: bool) -> frozenset[int]:
    """Return the places of the right options, from 1; `texts` are the options that exist.

    With `one` a reading as one option goes before a reading as several. Raises Ambiguous if the
    cell can be read in several ways, and NoSuchOption if in none.
    """
    options = _Options(texts)
    readings = set(_readings(cell, options)) if len(cell) <= _LONGEST else set()
    if one and any(len(reading) == 1 for reading in readings):
        readings = {reading for reading in readings if len(reading) == 1}
    if len(readings) > 1:
        raise Ambiguous(frozenset().union(*readings))
    if not readings:
        raise NoSuchOption(_unknown(cell, options))
    return readings.pop()


class _Options:
    """The options of a row: which of them a part of a cell can mean."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        self._texts = {place: one_line(text) for place, text in texts.items()}

    @cached_property
    def _folded(self) -> dict[int, str]:
        return {place: fold_text(text) for place, text in self._texts.items()}

    def meant(self, part: str) -> frozenset[int]:
        """Return the options that a part can mean, by their names or their texts."""
        return self.named(part) | self._with_text(part)

    def named(self, part: str) -> frozenset[int]:
        """Return the options that a letter or number can mean."""
        plain = _BEHIND.sub("", unicodedata.normalize("NFKC", part[:_LONGEST_NAME]).casefold())
        plain = _BEFORE.sub("", plain.strip())
        if plain.isdecimal() and len(plain) == 1:
            found = frozenset({unicodedata.decimal(plain)})
        else:
            found = _PLACES.get(plain, frozenset())
        return found & self._texts.keys()

    def _with_text(self, part: str) -> frozenset[int]:
        """Return the options with this text: with exactly this one if there are any."""
        wanted = one_line(part)
        exact = frozenset(place for place, text in self._texts.items() if text == wanted)
        if exact or not wanted:
            return exact
        folded = fold_text(wanted)
        return frozenset(place for place, text in self._folded.items() if text == folded)


def _readings(cell: str, options: _Options) -> Iterator[frozenset[int]]:
    """Yield each set of options that the cell can mean."""
    for place in options.meant(cell):
        yield frozenset({place})
    for between in _BETWEEN_TEXTS:
        parts = _parts(between, cell)
        if len(parts) > 1:
            yield from _all_of(parts, options.meant)
    yield from _all_of(_parts(_BETWEEN, cell), options.named)


def _parts(between: re.Pattern[str], cell: str) -> list[str]:
    return [part for part in between.split(cell) if part.strip()]


def _all_of(parts: list[str], meant: Callable[[str], frozenset[int]]) -> Iterator[frozenset[int]]:
    """Yield the options that parts name together; several sets if a part is ambiguous."""
    if not 0 < len(parts) <= MOST:
        return
    found = [meant(part) for part in parts]
    if not all(found):
        return
    yield frozenset(min(places) for places in found)
    yield frozenset(max(places) for places in found)


def _unknown(cell: str, options: _Options) -> str:
    """Return the part of a cell that names no option; the whole cell if none of it does."""
    parts = _parts(_BETWEEN, cell)[: MOST + 1]
    unknown = [part for part in parts if not options.named(part)]
    return unknown[0] if unknown and len(unknown) < len(parts) else cell
