"""Which answers are right: a question as shown, the schema of right answers, and their text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TypeGuard

from pydantic import JsonValue

from mymozhem.contract import JsonObject, fold_text

from .game_state import Round
from .importing.values import MAX_NUMBER
from .settings import Option, Question

LETTERS = "abcdefgh"

#: the options of a `boolean` question
YES, NO = "true", "false"


@dataclass(frozen=True)
class Asked:
    """A question as it was shown; the id of an option is the letter of its place."""

    question: Question
    order: str = ""
    locale: str = ""

    @classmethod
    def of(cls, question: Question, played: Round, locale: str) -> "Asked":
        """Return the question of a round as that round showed it in a room of this language."""
        return cls(question, played.order, locale)

    @cached_property
    def options(self) -> dict[str, Option]:
        """Return the options by their ids, in the order in which they were shown."""
        given = self.question.options
        places = [int(digit) for digit in self.order]
        found = [given[place] for place in places if place < len(given)]
        return dict(zip(LETTERS, found, strict=False))

    @cached_property
    def right(self) -> tuple[str, ...]:
        """Return the ids in the key: in the right order for an `order`, else in the order shown."""
        if self.question.type == "boolean":
            return (YES if self.question.answer else NO,)
        if self.question.type == "order":
            ids = dict(zip(self.order, LETTERS, strict=False))
            return tuple(ids[digit] for digit in sorted(ids))
        return tuple(letter for letter, option in self.options.items() if option.right)

    @cached_property
    def accepted(self) -> tuple[str, ...]:
        """Return the ids that an organizer accepted later."""
        return tuple(letter for letter, option in self.options.items() if option.accepted)

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids that can be chosen; none if participants write their answer."""
        return (YES, NO) if self.question.type == "boolean" else tuple(self.options)


def is_right(asked: Asked, answer: JsonValue) -> bool:
    """Return whether an answer is right on its own; for the nearest number see `which_right`."""
    match asked.question.type:
        case "single":
            return answer in {*asked.right, *asked.accepted}
        case "boolean":
            return answer == asked.right[0]
        case "multiple":
            chosen = set(_texts(answer))
            return set(asked.right) <= chosen <= {*asked.right, *asked.accepted}
        case "order":
            return tuple(_texts(answer)) == asked.right
        case "text":
            return isinstance(answer, str) and _folded(asked, answer) in {
                _folded(asked, text) for text in asked.question.accepted
            }
        case "number":
            low, high = bounds(asked.question)
            return _is_number(answer) and low <= answer <= high


def which_right(asked: Asked, payloads: Sequence[JsonValue]) -> list[bool]:
    """Return for each submission whether it is right.

    Of numbers without a tolerance, the nearest ones are right.
    """
    answers = [answer_in(payload) for payload in payloads]
    if not asked.question.is_nearest:
        return [is_right(asked, answer) for answer in answers]
    away = [_away(asked.question, answer) for answer in answers]
    nearest = min((one for one in away if one is not None), default=None)
    return [one is not None and one == nearest for one in away]


def answer_in(payload: JsonValue) -> JsonValue:
    """Return the answer of a submission."""
    return payload.get("answer") if isinstance(payload, dict) else None


def bounds(question: Question) -> tuple[float, float]:
    """Return the lowest and the highest right number, computed in decimals as people do."""
    answer, tolerance = (Decimal(str(one or 0)) for one in (question.answer, question.tolerance))
    return _number(answer - tolerance), _number(answer + tolerance)


def accepts(asked: Asked) -> JsonObject:
    """Return the schema of a submission, which does not depend on the key."""
    ids: JsonObject = {"type": "string", "enum": list(asked.ids)}
    several: JsonObject = {"type": "array", "uniqueItems": True, "items": ids}
    count = len(asked.ids)
    match asked.question.type:
        case "single" | "boolean":
            return _answering(ids)
        case "multiple":
            return _answering(several | {"minItems": 1, "maxItems": count})
        case "order":
            return _answering(several | {"minItems": count, "maxItems": count})
        case "text":
            return _answering({"type": "string", "minLength": 1, "maxLength": 200})
        case "number":
            return _answering({"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER})


def rules(asked: Asked) -> JsonObject | None:
    """Return the schema of right submissions, or None if it takes all submissions to decide."""
    if asked.question.is_nearest:
        return None
    return {
        "type": "object",
        "required": ["answer"],
        "properties": {"answer": _rule(asked)},
    }


def _rule(asked: Asked) -> JsonObject:
    either = [*asked.right, *asked.accepted]
    match asked.question.type:
        case "single" | "boolean":
            return {"enum": [*either]}
        case "multiple":
            each: list[JsonValue] = [{"contains": {"const": one}} for one in asked.right]
            return {"type": "array", "items": {"enum": [*either]}, "allOf": each}
        case "order":
            return {"const": [*asked.right]}
        case "text":
            return {"enum": [*asked.question.accepted]}
        case "number":
            low, high = bounds(asked.question)
            return {"type": "number", "minimum": low, "maximum": high}


def _answering(schema: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["answer"],
        "properties": {"answer": schema},
    }


def _folded(asked: Asked, text: str) -> str:
    return fold_text(text, asked.locale)


def _away(question: Question, answer: JsonValue) -> Fraction | None:
    if not _is_number(answer):
        return None
    return abs(Fraction(str(answer)) - Fraction(str(question.answer or 0)))


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Decimal) -> float:
    return int(value) if value == value.to_integral_value() else float(value)


def _texts(value: JsonValue) -> Iterator[str]:
    return (one for one in (value if isinstance(value, list) else ()) if isinstance(one, str))
