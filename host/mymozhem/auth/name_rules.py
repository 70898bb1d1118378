"""The rules of display names: 1 to 32 visible characters, without tricks."""

import unicodedata
from enum import StrEnum

from idna.core import valid_contextj

from mymozhem.errors import Invalid

MAX_VISIBLE = 32
MAX_CODE_POINTS = 160
MAX_MARKS = 4
"""Marks in a row on one letter (Unicode Technical Standard 39, 5.4); more would cover lines."""

_JOINERS = "\u200c\u200d"
_EMOJI_STYLE = "\ufe0e\ufe0f"
_KEYCAP = "\u20e3"
_FIRST_PICTURE = "\u2190"  # the arrows; what comes before them never joins into one emoji
_SKIN_TONES = range(0x1F3FB, 0x1F400)
# Characters that show nothing and yet count as letters, marks or symbols.
_BLANKS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
) | frozenset(map(chr, [*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0)]))


class NameProblem(StrEnum):
    """Why a name is rejected; the value is the message for its owner."""

    EMPTY = "Write at least one visible character."
    LONG = f"Write at most {MAX_VISIBLE} visible characters."
    CONTROL = "Leave out line breaks and other control characters."
    DIRECTION = "Leave out characters that change the direction of writing."
    INVISIBLE = "Leave out characters that nobody can see."
    MARKS = f"Put at most {MAX_MARKS} marks on one letter."


def visible_name(given: str, *, field: str = "name") -> str:
    """Return a name as it is shown: in NFC, trimmed, with single plain spaces.

    Raises `Invalid` that maps `field` to every problem. Idempotent.
    """
    problems = name_problems(given)
    if problems:
        raise Invalid("The name cannot be used.", fields={field: [each.value for each in problems]})
    return _tidy(_normal(given))


def name_problems(given: str) -> tuple[NameProblem, ...]:
    """Return the problems of a name, in the order of the enum; empty for a valid name."""
    if len(given) > 2 * MAX_CODE_POINTS:
        return (NameProblem.LONG,)  # too long to check each character
    name = _normal(given)
    found = {problem for at in range(len(name)) if (problem := _problem_at(name, at))}
    found |= _problems_of_length(_tidy(name))
    if _has_stack_of_marks(name):
        found.add(NameProblem.MARKS)
    return tuple(problem for problem in NameProblem if problem in found)


def _normal(given: str) -> str:
    return unicodedata.normalize("NFC", given).strip()


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _problem_at(name: str, at: int) -> NameProblem | None:
    character = name[at]
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return NameProblem.CONTROL
    if _turns_writing(character):
        return NameProblem.DIRECTION
    if character in _JOINERS:
        return None if _joins(name, at) else NameProblem.INVISIBLE
    if character in _EMOJI_STYLE:
        return None if _styles(name, at) else NameProblem.INVISIBLE
    if category in {"Cf", "Cs", "Co", "Cn"} or character in _BLANKS:
        return NameProblem.INVISIBLE
    return None


def _turns_writing(character: str) -> bool:
    if character in "\u200e\u200f\u061c":  # the marks, whose class is that of a letter
        return True
    return unicodedata.bidirectional(character) in {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip


def _joins(name: str, at: int) -> bool:
    """Return whether a joiner changes how its neighbours look, as in Persian, Hindi and emoji."""
    before, after = name[:at].rstrip(_EMOJI_STYLE), name[at + 1 :]
    if not before or not after:
        return False
    if name[at] == _JOINERS[1] and _is_picture(before[-1]) and _is_picture(after[0]):
        return True
    try:
        return valid_contextj(name, at)  # RFC 5892, appendices A.1 and A.2
    except ValueError:
        return False  # a neighbour that Unicode has not assigned


def _styles(name: str, at: int) -> bool:
    """Return whether a style selector follows a picture, or makes a keycap of a digit."""
    before, after = name[:at], name[at + 1 :]
    return after.startswith(_KEYCAP) or before.endswith(("©", "®")) or _is_picture(before[-1:])


def _is_picture(character: str) -> bool:
    if not character or character in _BLANKS or character < _FIRST_PICTURE:
        return False
    return unicodedata.category(character) in {"So", "Sm"} or ord(character) in _SKIN_TONES


def _problems_of_length(name: str) -> set[NameProblem]:
    visible = _count_visible(name)
    if visible == 0:
        return {NameProblem.EMPTY}
    too_long = visible > MAX_VISIBLE or len(name) > MAX_CODE_POINTS
    return {NameProblem.LONG} if too_long else set()


def _count_visible(name: str) -> int:
    """Count the visible characters: marks belong to their letter, joined emoji are one."""
    return sum(_starts_character(name, at) for at in range(len(name)))


def _starts_character(name: str, at: int) -> bool:
    character = name[at]
    if unicodedata.category(character)[0] in "MC" or ord(character) in _SKIN_TONES:
        return False
    if at and name[at - 1] == "\u200d" and _is_picture(character):
        return False
    return character not in _BLANKS


def _has_stack_of_marks(name: str) -> bool:
    height = 0
    for character in name:
        height = height + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if height > MAX_MARKS:
            return True
    return False
