"""Texts that people read: titles, descriptions and labels show what they say.

Control characters are refused before, in every text.
"""

import unicodedata
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from .json_pointer import pointer
from .problems import Problem

#: members whose text is shown, and members whose values are
_SHOWN = frozenset({"title", "description", "name", "confirm", "placeholder", "group", "unit"})
_LABELS = "labels"
#: parts of a manifest with texts
_PARTS = ("meta", "settings", "registration", "actions", "events")
#: members of a schema whose values are data
_DATA = frozenset({"default", "const", "enum", "examples"})
#: blanks that `str.strip` would leave
_BLANKS = " \n\r\t\u00a0\u2003\u2800\u3000\u3164\u200b\u200c\u200d\u2060"
_BYTE_ORDER_MARK = "\ufeff"
_DIRECTIONS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def text_problems(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    """Yield the texts, translations included, that hide something or show nothing."""
    for name in _PARTS:
        yield from _problems_below([name], document.get(name))
    locales = document.get("locales")
    for language, texts in (locales if isinstance(locales, dict) else {}).items():
        for place, text in (texts if isinstance(texts, dict) else {}).items():
            if isinstance(text, str):
                yield from _problems_of(["locales", language, place], text)


def _problems_below(path: list[str | int], value: JsonValue) -> Iterator[Problem]:
    if isinstance(value, dict):
        for name, each in value.items():
            shown = name in _SHOWN or path[-1] == _LABELS
            if shown and isinstance(each, str):
                yield from _problems_of([*path, name], each)
            elif name not in _DATA:
                yield from _problems_below([*path, name], each)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _problems_below([*path, number], each)


def _problems_of(path: list[str | int], text: str) -> Iterator[Problem]:
    if text and not text.strip(f"{_BYTE_ORDER_MARK}{_BLANKS}"):
        yield Problem(pointer(path), "TEXT_BLANK", "the text shows nothing", "write a text")
    hidden = sorted({each for each in text if _hides(each)})
    if hidden:
        names = ", ".join(f"U+{ord(each):04X}" for each in hidden)
        message = f"the text has characters that nobody can see or that reverse it: {names}"
        yield Problem(pointer(path), "TEXT_HIDDEN", message, "leave them out")


def _hides(character: str) -> bool:
    return character == _BYTE_ORDER_MARK or unicodedata.bidirectional(character) in _DIRECTIONS
