"""Which settings make sense together, what a room needs before it can start, and imports."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from pydantic import JsonValue, ValidationError

from mymozhem.contract import (
    Context,
    JsonObject,
    Problem,
    Refuse,
    RoomStatus,
    SettingsImportRequest,
    SettingsImportResult,
    SettingsValidationRequest,
    SettingsValidationResult,
    hookimpl,
)

from .game import Game
from .importing import check_question, import_questions
from .importing.values import fold
from .settings import MOST_SELF_PACED, Settings, settings_of
from .texts import say

QUESTIONS = "questions"
LONGEST = timedelta(days=366)
LEAST_TEAMS = 2


@hookimpl
def validate_settings(
    context: Context, request: SettingsValidationRequest
) -> SettingsValidationResult:
    """Say what is wrong; a draft may still lack what an event cannot start without."""
    given = _questions(request.settings)
    problems = [*_unfit(context, given), *_changed(context, given)]
    try:
        settings = Settings.model_validate(request.settings)
    except ValidationError as error:
        return SettingsValidationResult(problems=tuple(problems or _unreadable(error)))
    problems += _twice(context, settings)
    if settings.self_paced and len(given) > MOST_SELF_PACED:
        pointer = f"/{QUESTIONS}/{MOST_SELF_PACED}"
        problems.append(_problem(context, pointer, "TOO_MANY_SELF_PACED", most=MOST_SELF_PACED))
    if request.purpose == "activate":
        problems += _incomplete(context, settings)
    elif context.room is not None and context.room.status is RoomStatus.ACTIVE:
        problems += _end(context, settings, before=settings_of(context))
    return SettingsValidationResult(problems=tuple(problems))


@hookimpl
def import_settings(context: Context, request: SettingsImportRequest) -> SettingsImportResult:
    """Return the questions that a text holds; their ids are free in the room."""
    if request.setting != QUESTIONS:
        raise Refuse("SETTING_UNKNOWN", f"Nothing is imported into {request.setting!r}.")
    room = context.room
    taken = [str(one.get("id")) for one in _questions(room.settings if room else {})]
    locale = room.locale if room else "en"
    return import_questions(request.text, request.format, locale=locale, taken=taken)


def _unfit(context: Context, questions: list[JsonObject]) -> Iterator[Problem]:
    """Yield what is wrong with single questions; what was accepted later is no field of theirs."""
    locale = context.room.locale if context.room else "en"
    for index, question in enumerate(questions):
        for fault in check_question(_as_written(question)):
            pointer = f"/{QUESTIONS}/{index}{fault.pointer}"
            yield Problem(pointer=pointer, code=fault.code, message=fault.said(locale))
    twice = Counter(str(one.get("id")) for one in questions)
    for index, question in enumerate(questions):
        name = str(question.get("id"))
        if twice[name] > 1:
            yield _problem(context, f"/{QUESTIONS}/{index}/id", "QUESTION_TWICE", question=name)


def _changed(context: Context, questions: list[JsonObject]) -> Iterator[Problem]:
    """Yield the questions that were played and are not as they were."""
    if context.room is None:
        return
    played = {one.question for one in Game.of(context).private.rounds}
    before = {str(one.get("id")): one for one in _questions(context.room.settings)}
    names = {str(one.get("id")): index for index, one in enumerate(questions)}
    for name in [one for one in before if one in played]:
        index = names.get(name)
        if index is None:
            yield _problem(context, f"/{QUESTIONS}", "QUESTION_GONE", question=name)
        elif questions[index] != before[name]:
            pointer = f"/{QUESTIONS}/{index}"
            yield _problem(context, pointer, "QUESTION_FROZEN", question=name)


def _twice(context: Context, settings: Settings) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(settings.team_names):
        if fold(name) in seen:
            yield _problem(context, f"/teamNames/{index}", "TEAM_TWICE", team=name)
        seen.add(fold(name))


def _incomplete(context: Context, settings: Settings) -> Iterator[Problem]:
    if not settings.questions:
        yield _problem(context, f"/{QUESTIONS}", "QUESTIONS_MISSING")
    if settings.teams != "off" and len(settings.team_names) < LEAST_TEAMS:
        yield _problem(context, "/teamNames", "TEAMS_MISSING")
    if settings.self_paced and settings.closes_at is None:
        yield _problem(context, "/closesAt", "CLOSES_AT_MISSING")
    if settings.self_paced and settings.tie_break == "suddenDeath":
        yield _problem(context, "/tieBreak", "SUDDEN_DEATH_LIVE")
    yield from _end(context, settings, before=Settings())


def _end(context: Context, settings: Settings, *, before: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the end; one that stands unchanged may have come meanwhile."""
    closes_at = settings.closes_at
    if not settings.self_paced or closes_at is None or closes_at == before.closes_at:
        return
    if closes_at <= context.now:
        yield _problem(context, "/closesAt", "CLOSES_AT_PAST")
    elif closes_at > context.now + LONGEST:
        yield _problem(context, "/closesAt", "CLOSES_AT_FAR")


def _questions(settings: JsonObject) -> list[JsonObject]:
    given = settings.get(QUESTIONS)
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _as_written(question: JsonObject) -> JsonObject:
    """Return a question without what organizers accepted after it was played."""
    options = question.get("options")
    if not isinstance(options, list):
        return question
    return question | {"options": [_option(one) for one in options]}


def _option(option: JsonValue) -> JsonValue:
    if not isinstance(option, dict):
        return option
    return {name: value for name, value in option.items() if name != "accepted"}


def _unreadable(error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = "".join(f"/{part}" for part in fault["loc"])
        yield Problem(pointer=pointer, code="UNREADABLE", message=fault["msg"])


def _problem(context: Context, pointer: str, code: str, **values: object) -> Problem:
    return Problem(pointer=pointer, code=code, message=say(context, code, **values))
