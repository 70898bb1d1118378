"""The rules of names: visible characters without tricks, and at most 32 of them for people."""

import re
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
_REGIONS = range(0x1F1E6, 0x1F200)
"""Regional indicators: two of them are a flag."""
# Signs that are emoji if the style says so, and no pictures otherwise.
_SIGNS = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d"
# Unicode keeps these blocks for pictures: a phone may know one that this Python does not.
_RESERVED_FOR_PICTURES = (range(0x1F000, 0x1FB00), range(0x1FC00, 0x1FFFE))
_TAGS = range(0xE0000, 0xE0080)
# A black flag, the tags of a region with its part (such as gbsct for Scotland), and the last tag.
_TAGGED_FLAG = re.compile(
    "\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,4}\U000e007f"
)
# Characters that show nothing and yet count as letters, marks or symbols.
_BLANKS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc"
    "\U00016fe4\U0001d159"
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
    found = _problems_of_characters(name)
    if _is_long(_tidy(name)):
        found.add(NameProblem.LONG)
    return tuple(problem for problem in NameProblem if problem in found)


def title_problems(given: str) -> tuple[NameProblem, ...]:
    """Return the problems of the name of a thing, such as a room or a prize.

    The rules are those for people, without a limit of length: the caller has its own.
    """
    found = _problems_of_characters(_normal(given))
    return tuple(problem for problem in NameProblem if problem in found)


def shortened(name: str, *, suffix: str = "") -> str:
    """Return a name, cut between two visible characters if it is too long with the suffix behind.

    A valid name stays valid, also with the suffix.
    """
    end = len(name)
    while end and (_is_long(name[:end] + suffix) or not _may_end(name, end)):
        end -= 1
    return name[: end or 1].rstrip()  # one emoji may be joined from more pictures than fit


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
    if ord(character) in _TAGS:
        return None if _is_in_flag(name, at) else NameProblem.INVISIBLE
    if category == "Cn" and _is_reserved_for_pictures(character):
        return None
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
    return after.startswith(_KEYCAP) or before.endswith(tuple(_SIGNS)) or _is_picture(before[-1:])


def _is_in_flag(name: str, at: int) -> bool:
    """Return whether a tag is part of a flag, such as that of Scotland; elsewhere tags hide."""
    return any(found.start() < at < found.end() for found in _TAGGED_FLAG.finditer(name))


def _is_picture(character: str) -> bool:
    if not character or character in _BLANKS or character < _FIRST_PICTURE:
        return False
    return (
        unicodedata.category(character) in {"So", "Sm"}
        or ord(character) in _SKIN_TONES
        or _is_reserved_for_pictures(character)
    )


def _is_reserved_for_pictures(character: str) -> bool:
    return any(ord(character) in block for block in _RESERVED_FOR_PICTURES)


def _problems_of_characters(name: str) -> set[NameProblem]:
    found = {problem for at in range(len(name)) if (problem := _problem_at(name, at))}
    if _count_visible(name) == 0:
        found.add(NameProblem.EMPTY)
    if _has_stack_of_marks(name):
        found.add(NameProblem.MARKS)
    return found


def _is_long(name: str) -> bool:
    if len(name) <= MAX_VISIBLE:
        return False
    return len(name) > MAX_CODE_POINTS or _count_visible(name) > MAX_VISIBLE


def _count_visible(name: str) -> int:
    """Count the visible characters: marks belong to their letter, joined emoji are one."""
    return sum(_starts_character(name, at) and name[at] not in _BLANKS for at in range(len(name)))


def _starts_character(name: str, at: int) -> bool:
    """Return whether a visible character begins here, or the name ends."""
    if at == len(name):
        return True
    character = name[at]
    if character < _FIRST_PICTURE:
        return unicodedata.category(character)[0] not in "MC"
    if ord(character) in _REGIONS:
        return _count_regions(name[:at]) % 2 == 0
    if _is_picture(character):
        return ord(character) not in _SKIN_TONES and name[at - 1 : at] != _JOINERS[1]
    return unicodedata.category(character)[0] not in "MC"


def _may_end(name: str, at: int) -> bool:
    if name[:at].endswith(tuple(_JOINERS)):
        return False
    return name.startswith(_JOINERS[0], at) or _starts_character(name, at)


def _count_regions(before: str) -> int:
    """Return how many regional indicators a text ends with."""
    return next(
        (count for count, each in enumerate(reversed(before)) if ord(each) not in _REGIONS),
        len(before),
    )


def _has_stack_of_marks(name: str) -> bool:
    height = 0
    for character in name:
        height = height + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if height > MAX_MARKS:
            return True
    return False
