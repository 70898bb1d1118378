"""What organizers review afterwards: how each question went, and the ranks."""

from collections import Counter
from statistics import fmean

from mymozhem.contract import ActionResult, Context, JsonObject, Participant, Reply

from .announcements import Result, counts
from .game_state import Game, window_of
from .scoring import all_rounds, results
from .settings import Settings, settings_of
from .standings import standings
from .teams import active

MOST_LISTED = 1_000


def statistics(context: Context, _: JsonObject) -> ActionResult:
    """Reply with every round and the leaderboard; both leave out results that are held back."""
    settings, game = settings_of(context), Game.of(context)
    computed = results(context, settings, game, all_rounds(game, context.submissions))
    shown = [one for number, one in computed.items() if not game.round(number).held]
    people = active(context.participants)
    board = _leaderboard(game, people, shown)
    reply: JsonObject = {
        "questions": [_round(settings, one) for one in shown],
        "void": [n for n, played in game.numbered() if played.void],
        "held": [*game.held_rounds()],
        "leaderboard": [*board[:MOST_LISTED]],
        "teams": [team.model_dump(mode="json", by_alias=True) for team in game.public.teams],
    }
    return ActionResult(effects=(Reply(data=reply),))


def _round(settings: Settings, result: Result) -> JsonObject:
    times = [one.elapsed_ms for one in result.submissions]
    answered, right = len(result.submissions), sum(result.right)
    part = settings.part_of(result.asked.question)
    where: JsonObject = {} if part is None else {"part": settings.seen(part).number}
    return where | {
        "round": result.number,
        "windowId": window_of(result.number),
        "questionId": result.asked.question.id,
        "text": result.asked.question.text,
        "answered": answered,
        "right": right,
        "wrong": answered - right,
        "counts": counts(result.asked, result.submissions),
        "fastestMs": min(times, default=None),
        "meanMs": round(fmean(times)) if times else None,
    }


def _leaderboard(game: Game, people: list[Participant], shown: list[Result]) -> list[JsonObject]:
    """Return the leaderboard without the points of results that are held back."""
    right: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for result in shown:
        for one, good in zip(result.submissions, result.right, strict=True):
            answered[one.participant_id] += 1
            right[one.participant_id] += good
    places = standings(game, [(one.id, one.points) for one in people])
    return [
        {
            "rank": place.rank,
            "participantId": place.participant_id,
            "points": place.points,
            "answered": answered[place.participant_id],
            "right": right[place.participant_id],
        }
        for place in places
    ]
