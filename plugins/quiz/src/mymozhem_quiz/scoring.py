"""Judge submissions and compute points, and find what differs from the current verdicts."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mymozhem.contract import Context, Rejudge, Submissions, Verdict, Verdicts

from .announcements import Result
from .answer_keys import Asked, which_right
from .game_state import Game, window_of
from .points import Answer, Played, compute_points
from .settings import Settings, room_of
from .submissions import Sent, rows_of

#: the final verdicts; all others are still to be computed
FOUND = frozenset({Verdict.RIGHT, Verdict.WRONG})

Answers = Mapping[int, Sequence[Sent]]


@dataclass(frozen=True)
class _Judged:
    """A round and which of its submissions are right."""

    number: int
    asked: Asked
    submissions: Sequence[Sent]
    right: Sequence[bool]


def by_round(game: Game, submissions: Iterable[Sent]) -> Answers:
    """Return submissions by the number of their round, in commit order."""
    found: dict[int, list[Sent]] = defaultdict(list)
    for one in submissions:
        number = game.number_of(one.window_id)
        if number is not None:
            found[number].append(one)
    return found


def all_rounds(game: Game, submissions: Submissions | None) -> Answers:
    """Return the submissions of every round that counts; an empty list if nobody answered."""
    found = by_round(game, rows_of(submissions))
    return {n: found.get(n, ()) for n, played in game.numbered() if played.stands}


def results(
    context: Context,
    settings: Settings,
    game: Game,
    answers: Answers,
    *,
    judge_again: Collection[int] = (),
) -> dict[int, Result]:
    """Return every round with its verdicts and points, in the order of play.

    Existing verdicts stay, except in the rounds that the caller names: these are judged again by
    the current key. Rounds whose question is gone are left out, since nothing can judge them.
    """
    judged = list(_judged(room_of(context).locale, settings, game, answers, judge_again))
    played = [_played(settings, game, one) for one in judged]
    computed = compute_points(settings.counts_as, settings.bonus, played)
    return {
        one.number: Result(
            number=one.number,
            asked=one.asked,
            submissions=one.submissions,
            right=one.right,
            points=points,
            tie=game.round(one.number).tie,
        )
        for one, points in zip(judged, computed, strict=True)
    }


def verdicts(result: Result) -> Verdicts:
    """Return verdicts and points of all submissions of a round."""
    return Verdicts(
        submission_id=tuple(one.id for one in result.submissions),
        verdict=tuple(map(_verdict, result.right)),
        points=tuple(result.points),
    )


def gains(results: Iterable[Result]) -> dict[str, int]:
    """Return the points that rounds give to each participant who answered."""
    found: Counter[str] = Counter()
    for result in results:
        for one, points in zip(result.submissions, result.points, strict=True):
            found[one.participant_id] += points
    return dict(found)


def ranked(game: Game, result: Result) -> Game:
    """Return the quiz with the ranking of a round that broke a tie; other rounds have none."""
    if not game.round(result.number).tie:
        return game
    right = (one for one, good in zip(result.submissions, result.right, strict=True) if good)
    return game.turned(result.number, ranked=tuple(one.participant_id for one in right))


def rejudged(game: Game, computed: Mapping[int, Result]) -> Iterator[Rejudge]:
    """Yield a correction for each round whose verdicts or points differ from the current ones."""
    for number, result in computed.items():
        if game.round(number).fixed:
            continue
        new = [
            (one.id, _verdict(right), points)
            for one, right, points in zip(
                result.submissions, result.right, result.points, strict=True
            )
            if (one.verdict, one.points) != (_verdict(right), points)
        ]
        if new:
            ids, found, points = zip(*new, strict=True)
            better = Verdicts(submission_id=ids, verdict=found, points=points)
            yield Rejudge(window_id=window_of(number), verdicts=better)


def _judged(
    locale: str, settings: Settings, game: Game, answers: Answers, judge_again: Collection[int]
) -> Iterator[_Judged]:
    for number, submissions in sorted(answers.items()):
        played = game.round(number)
        question = settings.question(played.question)
        if question is None:
            continue
        asked = Asked.of(question, played, locale)
        yield _Judged(
            number,
            asked,
            submissions,
            _right(asked, submissions, judge_again=number in judge_again),
        )


def _right(asked: Asked, submissions: Sequence[Sent], *, judge_again: bool) -> list[bool]:
    if not judge_again and all(one.verdict in FOUND for one in submissions):
        return [one.verdict is Verdict.RIGHT for one in submissions]
    found = which_right(asked, [one.payload for one in submissions])
    return [
        one.verdict is Verdict.RIGHT if _is_gone(one) else right
        for one, right in zip(submissions, found, strict=True)
    ]


def _is_gone(one: Sent) -> bool:
    """Return whether a judged answer was erased with its person; its verdict stays."""
    return one.payload is None and one.verdict in FOUND


def _played(settings: Settings, game: Game, judged: _Judged) -> Played:
    played, question = game.round(judged.number), judged.asked.question
    return Played(
        points=settings.points_of(question),
        limit_ms=settings.seconds_of(question) * 1_000,
        counts=played.scores,
        given=tuple(one.points for one in judged.submissions) if played.fixed else None,
        answers=tuple(
            Answer(one.participant_id, right, one.elapsed_ms)
            for one, right in zip(judged.submissions, judged.right, strict=True)
        ),
    )


def _verdict(right: bool) -> Verdict:  # noqa: FBT001  mapped over what was found
    return Verdict.RIGHT if right else Verdict.WRONG
