"""A new key for a question: what organizers send, and the changed question."""

from collections.abc import Sequence

from pydantic import JsonValue

from mymozhem.contract import JsonObject, fold_text
from mymozhem.contract.wire import Wire

from .game_state import Game
from .importing.question_rules import MAX_ACCEPTED
from .importing.values import MAX_NUMBER
from .settings import Option, Question


class Key(Wire):
    """The right answer: texts of options (in order for an `order`), texts, a number, a boolean."""

    question_id: str
    answer: JsonValue
    tolerance: int | float | None = None


class Unfit(ValueError):
    """The key does not fit the question."""


def corrected(question: Question, key: Key) -> JsonObject:
    """Return the changes to a question whose key is replaced; raise Unfit if it does not fit."""
    match question.type:
        case "boolean":
            return {"answer": _of(bool, key.answer)}
        case "number":
            found: JsonObject = {"answer": _number(key.answer)}
            return found if key.tolerance is None else found | {"tolerance": key.tolerance}
        case "text":
            texts = _texts(key.answer)
            if not 0 < len(texts) <= MAX_ACCEPTED:
                raise Unfit
            return {"accepted": [*texts]}
        case "order":
            return {"options": _reordered(question, _places(question, key.answer))}
        case "single" | "multiple":
            return {"options": _marked(question, _places(question, key.answer))}


def accepted(question: Question, key: Key) -> JsonObject:
    """Return the changes to a question that accepts one more answer; raise Unfit if it cannot."""
    match question.type:
        case "single" | "multiple":
            places = _places(question, key.answer)
            return {
                "options": [
                    option.model_dump(exclude_defaults=True)
                    | ({"accepted": True} if place in places and not option.right else {})
                    for place, option in enumerate(question.options)
                ]
            }
        case "text":
            known = set(map(fold_text, question.accepted))
            new = [text for text in _texts(key.answer) if fold_text(text) not in known]
            if len(question.accepted) + len(new) > MAX_ACCEPTED:
                raise Unfit
            return {"accepted": [*question.accepted, *new]}
        case _:
            raise Unfit


def moved(game: Game, before: Question, after: Question) -> Game:
    """Return the quiz with its rounds adjusted to a new order of the question's options."""
    if before.type != "order":
        return game
    places = {option.text: place for place, option in enumerate(after.options)}
    where = [str(places[option.text]) for option in before.options]
    for number in game.rounds_of(before.id):
        order = "".join(where[int(digit)] for digit in game.round(number).order)
        game = game.turned(number, order=order)
    return game


def _marked(question: Question, places: Sequence[int]) -> list[JsonValue]:
    if not places or (question.type == "single" and len(places) != 1):
        raise Unfit
    return [
        {"text": option.text, "right": place in places, **_picture(option)}
        for place, option in enumerate(question.options)
    ]


def _picture(option: Option) -> JsonObject:
    return {} if option.picture is None else {"picture": option.picture.model_dump()}


def _reordered(question: Question, places: Sequence[int]) -> list[JsonValue]:
    if len(places) != len(question.options):
        raise Unfit
    return [question.options[place].model_dump(exclude_defaults=True) for place in places]


def _places(question: Question, answer: JsonValue) -> list[int]:
    """Return the places of the options with exactly these texts: mm and Mm differ."""
    known = {option.text: place for place, option in enumerate(question.options)}
    found = [known.get(text) for text in _texts(answer)]
    places = [place for place in found if place is not None]
    if not places or len(places) != len(found) or len(set(places)) != len(places):
        raise Unfit
    return places


def _texts(answer: JsonValue) -> list[str]:
    given = answer if isinstance(answer, list) else [answer]
    texts = [one for one in given if isinstance(one, str) and fold_text(one)]
    if not texts or len(texts) != len(given):
        raise Unfit
    return texts


def _number(answer: JsonValue) -> int | float:
    if isinstance(answer, bool) or not isinstance(answer, int | float) or abs(answer) > MAX_NUMBER:
        raise Unfit
    return answer


def _of(kind: type[bool], answer: JsonValue) -> bool:
    if not isinstance(answer, kind):
        raise Unfit
    return answer
