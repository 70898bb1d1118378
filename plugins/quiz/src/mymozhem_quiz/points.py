"""How many points each answer gets: one pure function over the rounds of a quiz.

- `first`: the first right answer, in commit order, gets the full points, the others none.
- `speed`: every right answer gets points that fall linearly with the time that it took, from the
  full points at 0 ms to half of them at the time limit and after it, rounded down.
- `plain`: every right answer gets the full points.

A streak is a series of rounds that a participant won in a row: by the first right answer in
`first`, by a right answer in the other modes. The second round in a row gives the bonus once, the
third twice, and so on, up to five times. A participant who does not win a round loses the streak.
Rounds that do not count, because they are void or broke a tie, neither add to streaks nor break
them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .settings import Mode

#: a streak gives at most this many times the bonus
MOST_STEPS = 5


@dataclass(frozen=True)
class Answer:
    """The part of an answer on which points depend."""

    participant_id: str
    right: bool
    elapsed_ms: int


@dataclass(frozen=True)
class Played:
    """A round: its answers in commit order, full points and time limit.

    `given` are points that are final and not computed; a participant who got some has won the
    round.
    """

    points: int
    limit_ms: int
    answers: tuple[Answer, ...]
    counts: bool = True
    given: tuple[int, ...] | None = None


def compute_points(mode: Mode, bonus: int, rounds: Iterable[Played]) -> list[tuple[int, ...]]:
    """Return the points of every answer of every round, rounds in the order of play."""
    streaks: dict[str, int] = {}
    computed: list[tuple[int, ...]] = []
    for played in rounds:
        won = _won(mode, played)
        streaks = _continued(streaks, played, won) if played.counts else streaks
        computed.append(_points(mode, bonus, played, won, streaks))
    return computed


def speed_points(full: int, elapsed_ms: int, limit_ms: int) -> int:
    """Return the points of a right answer in mode `speed`."""
    late = min(max(elapsed_ms, 0), limit_ms)
    return full * (2 * limit_ms - late) // (2 * limit_ms)


def first_right(answers: Sequence[Answer]) -> int | None:
    """Return the index of the first right answer, or None if nobody was right."""
    return next((index for index, answer in enumerate(answers) if answer.right), None)


def _points(
    mode: Mode, bonus: int, played: Played, won: Sequence[bool], streaks: dict[str, int]
) -> tuple[int, ...]:
    if played.given is not None:
        return played.given
    if not played.counts:
        return (0,) * len(played.answers)
    return tuple(
        _base(mode, played, answer) + bonus * _steps(streaks[answer.participant_id]) if wins else 0
        for answer, wins in zip(played.answers, won, strict=True)
    )


def _base(mode: Mode, played: Played, answer: Answer) -> int:
    if mode == "speed":
        return speed_points(played.points, answer.elapsed_ms, played.limit_ms)
    return played.points


def _steps(streak: int) -> int:
    return min(streak - 1, MOST_STEPS)


def _won(mode: Mode, played: Played) -> list[bool]:
    if played.given is not None:
        return [points > 0 for points in played.given]
    if mode != "first":
        return [answer.right for answer in played.answers]
    first = first_right(played.answers)
    return [index == first for index in range(len(played.answers))]


def _continued(streaks: dict[str, int], played: Played, won: Sequence[bool]) -> dict[str, int]:
    winners = (
        answer.participant_id for answer, wins in zip(played.answers, won, strict=True) if wins
    )
    return {person: streaks.get(person, 0) + 1 for person in winners}
