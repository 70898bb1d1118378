"""The expected scores of the evening, computed from the published rules.

This module uses no code of the app: it starts from the replies that acknowledged the answers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import floor
from operator import itemgetter


@dataclass(frozen=True)
class Counted:
    """An answer that counts, and the acknowledged time that it took."""

    person: str
    answer: str
    elapsed_ms: int


@dataclass(frozen=True)
class Sheet:
    """A round as recorded: answers in commit order, the right one, and its points."""

    number: int
    answers: tuple[Counted, ...]
    right: str
    points: int
    limit_ms: int


@dataclass(frozen=True)
class Tie:
    """People who share a rank, and the prizes of their places."""

    rank: int
    people: tuple[str, ...]
    prizes: tuple[str, ...]


@dataclass(frozen=True)
class Wins:
    """Who won which prize by rank, and the ties for a prize."""

    clear: dict[str, str]
    ties: tuple[Tie, ...]


def points(mode: str, sheet: Sheet) -> dict[str, int]:
    """Return the points of each participant who answered in a round."""
    right = [one for one in sheet.answers if one.answer == sheet.right]
    brought = {one.person: 0 for one in sheet.answers}
    match mode:
        case "first":
            brought |= {one.person: sheet.points for one in right[:1]}
        case "plain":
            brought |= {one.person: sheet.points for one in right}
        case "speed":
            brought |= {one.person: _faster_is_more(sheet, one) for one in right}
    return brought


def winner(mode: str, sheet: Sheet) -> str | None:
    """Return who won a round: the first or the fastest right answer; in `plain` nobody."""
    right = [one for one in sheet.answers if one.answer == sheet.right]
    if mode == "plain" or not right:
        return None
    return right[0].person if mode == "first" else min(right, key=lambda one: one.elapsed_ms).person


def sums(mode: str, sheets: Iterable[Sheet]) -> Counter[str]:
    """Return everybody's points."""
    total: Counter[str] = Counter()
    for sheet in sheets:
        total.update(points(mode, sheet))
    return total


def ranks(total: Counter[str]) -> dict[str, int]:
    """Return the ranks of all people with points: one more than the number of people with more."""
    return {
        person: 1 + sum(other > score for other in total.values())
        for person, score in total.items()
        if score
    }


def wins(total: Counter[str], prizes: Sequence[str]) -> Wins:
    """Return who gets which prize, by rank, if there is one unit of each.

    A person who has a rank alone gets the next prize. People who share a rank are tied for as many
    prizes as there are people.
    """
    left = list(prizes)
    clear: dict[str, str] = {}
    ties: list[Tie] = []
    for rank, group in groupby(sorted(_by_rank(total)), key=itemgetter(0)):
        people = tuple(person for _, person in group)
        units, left = left[: len(people)], left[len(people) :]
        if units and len(people) == 1:
            clear[people[0]] = units[0]
        elif units:
            ties.append(Tie(rank, people, tuple(units)))
    return Wins(clear, tuple(ties))


def _by_rank(total: Counter[str]) -> Iterator[tuple[int, str]]:
    return ((rank, person) for person, rank in ranks(total).items())


def _faster_is_more(sheet: Sheet, answer: Counted) -> int:
    """Return points that fall linearly from full at 0 ms to half at the time limit."""
    gone = Fraction(min(answer.elapsed_ms, sheet.limit_ms), sheet.limit_ms)
    return floor(sheet.points * (1 - gone / 2))
