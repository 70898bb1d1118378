"""Where the settings keep questions: in rounds, or in one list in rooms of the first version.

A room keeps the version that it was created with, and this code serves both. The version in a call
says which settings the room has.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.contract import Context, JsonObject

#: the setting that holds the questions: rounds since 2.0, one list before
ROUNDS, QUESTIONS = "rounds", "questions"

#: the first version of the app with questions in rounds
FIRST_WITH_ROUNDS = 2


@dataclass(frozen=True)
class Lying:
    """A question and its place in the settings; `part` is its round, empty without rounds."""

    pointer: str
    question: JsonObject
    part: JsonObject


def has_rounds(version: str) -> bool:
    """Return whether rooms of a version of this app have rounds."""
    return int(version.partition(".")[0]) >= FIRST_WITH_ROUNDS


def setting_of(context: Context) -> str:
    """Return the name of the setting that holds the questions of the room that a call concerns."""
    return ROUNDS if has_rounds(context.app.version) else QUESTIONS


def in_rounds(settings: JsonObject, setting: str) -> JsonObject:
    """Return settings as if all rooms had rounds: one list becomes a round without id and title."""
    if setting == ROUNDS or QUESTIONS not in settings:
        return settings
    others = {name: value for name, value in settings.items() if name != QUESTIONS}
    return others | {ROUNDS: [{QUESTIONS: settings[QUESTIONS]}]}


def lying(settings: JsonObject, setting: str) -> Iterator[Lying]:
    """Yield every question with its place; values that are not objects are skipped."""
    if setting == QUESTIONS:
        yield from _lying(settings, "", {})
        return
    for index, part in enumerate(objects(settings.get(ROUNDS))):
        yield from _lying(part, f"/{ROUNDS}/{index}", part)


def replaced(
    settings: JsonObject, setting: str, question_id: str, change: JsonObject
) -> JsonObject:
    """Return the patch of settings that changes one question."""

    def changed(question: JsonValue) -> JsonValue:
        named = isinstance(question, dict) and question.get("id") == question_id
        return question | change if isinstance(question, dict) and named else question

    if setting == QUESTIONS:
        return {QUESTIONS: _each(settings.get(QUESTIONS), changed)}
    return {ROUNDS: _each(settings.get(ROUNDS), lambda part: _within(part, changed))}


def objects(value: JsonValue) -> list[JsonObject]:
    """Return the objects of a list, or an empty list if the value is not a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _lying(holder: JsonObject, above: str, part: JsonObject) -> Iterator[Lying]:
    for index, question in enumerate(objects(holder.get(QUESTIONS))):
        yield Lying(f"{above}/{QUESTIONS}/{index}", question, part)


def _within(part: JsonValue, changed: Callable[[JsonValue], JsonValue]) -> JsonValue:
    if not isinstance(part, dict) or not isinstance(part.get(QUESTIONS), list):
        return part
    return part | {QUESTIONS: _each(part[QUESTIONS], changed)}


def _each(value: JsonValue, changed: Callable[[JsonValue], JsonValue]) -> list[JsonValue]:
    return [changed(one) for one in value] if isinstance(value, list) else []
