"""The events for everybody: who won a round, which answer was right, the status of the quiz."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.contract import Context, Emit, JsonObject

from .answer_keys import Asked, answer_in
from .game_state import Game, window_of
from .question_window import text_of
from .settings import Settings
from .submissions import Sent


@dataclass(frozen=True)
class Result:
    """A settled round: its submissions in commit order, the right ones, and their points."""

    number: int
    asked: Asked
    submissions: Sequence[Sent]
    right: Sequence[bool]
    points: Sequence[int]
    tie: bool = False


def told(context: Context, settings: Settings, result: Result) -> Iterator[Emit]:
    """Yield the winner of the round, then the right answer."""
    if result.tie or settings.counts_as != "plain":
        yield _winner(settings, result)
    yield _answer(context, result)


def no_winner(game: Game, number: int) -> Emit:
    """Return the event that nobody won a round, because it became void."""
    payload = _names(number, game.round(number).question) | {"participantId": None, "points": 0}
    return Emit(type="quiz:round_winner", payload=payload | {"elapsedMs": None})


def status_changed(game: Game) -> Emit:
    """Return the event with the current status of the quiz."""
    payload: JsonObject = {"status": game.public.status.value, "round": game.public.round}
    return Emit(type="quiz:status_changed", payload=payload)


def counts(asked: Asked, submissions: Sequence[Sent]) -> JsonObject:
    """Return how many participants chose each option; empty for written answers and orders."""
    if asked.question.type == "order":
        return {}
    chosen = Counter(each for one in submissions for each in _chosen(answer_in(one.payload)))
    return {option: chosen[option] for option in asked.ids}


def _winner(settings: Settings, result: Result) -> Emit:
    """Return the event that names the winner of a round.

    In `first`, and if a round breaks a tie, the winner is the first right answer in commit order.
    In `speed` it is the fastest right answer; among equally fast ones, the commit order decides.
    """
    right = [one for one, good in enumerate(result.right) if good]
    if settings.counts_as == "speed" and not result.tie:
        right.sort(key=lambda index: result.submissions[index].elapsed_ms)
    payload = _names(result.number, result.asked.question.id)
    payload |= {"participantId": None, "points": 0, "elapsedMs": None}
    if right:
        first = result.submissions[right[0]]
        payload["participantId"] = first.participant_id
        payload["elapsedMs"] = first.elapsed_ms
        payload["points"] = result.points[right[0]]
    return Emit(type="quiz:round_winner", payload=payload)


def _answer(context: Context, result: Result) -> Emit:
    asked = result.asked
    options = [one for one in (*asked.right, *asked.accepted) if one in asked.ids]
    payload: JsonObject = {
        **_names(result.number, asked.question.id),
        "options": [*options],
        "texts": [*_texts(context, asked, options)],
        "counts": counts(asked, result.submissions),
        "answered": len(result.submissions),
        "right": sum(result.right),
    }
    return Emit(type="quiz:answer_revealed", payload=payload)


def _texts(context: Context, asked: Asked, options: Sequence[str]) -> Iterator[str]:
    match asked.question.type:
        case "text":
            yield from asked.question.accepted
        case "number":
            yield str(asked.question.answer)
        case _:
            yield from (text_of(context, asked, one) for one in options)


def _chosen(answer: JsonValue) -> Iterator[str]:
    found = answer if isinstance(answer, list) else [answer]
    return (one for one in found if isinstance(one, str))


def _names(number: int, question: str) -> JsonObject:
    return {"round": number, "windowId": window_of(number), "questionId": question}
