"""Creates a text that a regular expression matches, for schemas with patterns."""

import re
import warnings
from collections.abc import Iterable
from re import _constants as c  # type: ignore[attr-defined]  # no other parser is at hand
from re import _parser as parser  # type: ignore[attr-defined]  # likewise
from typing import Any

_CLASSES = {
    c.CATEGORY_DIGIT: "0", c.CATEGORY_WORD: "a", c.CATEGORY_SPACE: " ",
    c.CATEGORY_NOT_DIGIT: "a", c.CATEGORY_NOT_WORD: "-", c.CATEGORY_NOT_SPACE: "a",
}  # fmt: skip
_LETTERS = "ab01 -_./:@AZ~é"


def text_for(pattern: str, *, least: int = 0, salt: int = 0) -> str | None:
    """Return a text that the pattern matches, with `least` characters or more if it may repeat.

    `salt` selects among alternative characters. None if no text was found.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python may come to read differently
            text = _text(parser.parse(pattern), least, salt)
            return text if re.search(pattern, text) else None
    except (re.error, ValueError, RecursionError):
        return None


def _text(parts: Iterable[Any], least: int, salt: int) -> str:
    return "".join(_part(kind, what, least, salt) for kind, what in parts)


def _part(kind: Any, what: Any, least: int, salt: int) -> str:  # noqa: ANN401, PLR0911  re's own
    if kind is c.LITERAL:
        return chr(what)
    if kind is c.NOT_LITERAL:
        return next(letter for letter in _LETTERS if letter != chr(what))
    if kind is c.ANY:
        return "a"
    if kind is c.IN:
        return _of_set(what, salt)
    if kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
        fewest, most, inner = what
        return _text(inner, 0, salt) * int(min(max(fewest, least), most))
    if kind is c.SUBPATTERN:
        return _text(what[-1], least, salt)
    if kind is c.BRANCH:
        return _text(what[1][salt % len(what[1])], least, salt)
    if kind is c.ATOMIC_GROUP:
        return _text(what, least, salt)
    return ""  # anchors and look-arounds take no room; the whole is tried at the end


def _of_set(members: Iterable[Any], salt: int) -> str:
    kinds = [(kind, what) for kind, what in members]
    if kinds and kinds[0][0] is c.NEGATE:
        taken = re.compile("[" + re.escape("".join(_letters(kinds[1:]))) + "]")
        return next(letter for letter in _LETTERS if not taken.match(letter))
    letters = _letters(kinds)
    return letters[salt % len(letters)]


def _letters(members: Iterable[tuple[Any, Any]]) -> list[str]:
    found: list[str] = []
    for kind, what in members:
        if kind is c.LITERAL:
            found.append(chr(what))
        elif kind is c.RANGE:
            low, high = what
            found += [chr(number) for number in range(low, min(high, low + 25) + 1)]
        elif kind is c.CATEGORY:
            found.append(_CLASSES.get(what, "a"))
    return found
