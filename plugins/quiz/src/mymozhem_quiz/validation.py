"""Which settings fit together, what a room needs before it can start, and imports."""

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
    fold_text,
    hookimpl,
)

from .game_state import Game
from .importing import Fault, check_question, check_round, import_questions, import_rounds
from .importing.question_rules import MAX_QUESTIONS
from .layout import QUESTIONS, ROUNDS, Lying, lying, objects, setting_of
from .messages_en import say
from .settings import MOST_SELF_PACED, Settings, read_settings, settings_of

LONGEST = timedelta(days=366)
LEAST_TEAMS = 2

#: the fields that a round keeps once its questions were played: points depend on them
_KEPT = ("points", "timePerQuestion")


@hookimpl
def validate_settings(
    context: Context, request: SettingsValidationRequest
) -> SettingsValidationResult:
    """Return what is wrong; a draft may lack what an event needs to start."""
    given = list(lying(request.settings, setting_of(context)))
    problems = [
        *_unfit(context, given),
        *_unfit_rounds(context, request.settings),
        *_changed(context, given),
        *_changed_rounds(context, request.settings),
    ]
    try:
        settings = read_settings(context, request.settings)
    except ValidationError as error:
        unreadable = _unreadable(context, error)
        return SettingsValidationResult(problems=tuple(problems or unreadable))
    problems += _twice(context, settings)
    if settings.self_paced and len(given) > MOST_SELF_PACED:
        pointer = given[MOST_SELF_PACED].pointer
        problems.append(_problem(context, pointer, "TOO_MANY_SELF_PACED", most=MOST_SELF_PACED))
    if request.purpose == "activate":
        problems += _incomplete(context, settings)
    elif context.room is not None and context.room.status is RoomStatus.ACTIVE:
        problems += _end(context, settings, before=settings_of(context))
    return SettingsValidationResult(problems=tuple(problems))


@hookimpl
def import_settings(context: Context, request: SettingsImportRequest) -> SettingsImportResult:
    """Return the questions of a text, in rounds if the room has rounds.

    Their ids are not in use in the room.
    """
    setting = setting_of(context)
    if request.setting != setting:
        raise Refuse("SETTING_UNKNOWN", f"Nothing is imported into {request.setting!r}.")
    room = context.room
    settings, locale = (room.settings, room.locale) if room else ({}, "en")
    taken = [str(one.question.get("id")) for one in lying(settings, setting)]
    if setting == QUESTIONS:
        return import_questions(request.text, request.format, locale=locale, taken=taken)
    rounds = [str(one.get("id")) for one in objects(settings.get(ROUNDS))]
    return import_rounds(request.text, request.format, locale=locale, taken=taken, rounds=rounds)


def _unfit(context: Context, given: list[Lying]) -> Iterator[Problem]:
    """Yield what is wrong with single questions, ignoring answers that were accepted later."""
    pictures = setting_of(context) == ROUNDS
    for one in given:
        for fault in check_question(_as_written(one.question), pictures=pictures):
            yield _found(context, f"{one.pointer}{fault.pointer}", fault)
    twice = Counter(str(one.question.get("id")) for one in given)
    for one in given:
        name = str(one.question.get("id"))
        if twice[name] > 1:
            yield _problem(context, f"{one.pointer}/id", "QUESTION_TWICE", question=name)
    if pictures and len(given) > MAX_QUESTIONS:
        pointer = given[MAX_QUESTIONS].pointer
        yield _problem(context, pointer, "TOO_MANY_QUESTIONS", most=MAX_QUESTIONS)


def _unfit_rounds(context: Context, settings: JsonObject) -> Iterator[Problem]:
    """Yield what is wrong with rounds, apart from their questions; none without rounds."""
    if setting_of(context) != ROUNDS:
        return
    rounds = objects(settings.get(ROUNDS))
    twice = Counter(str(one.get("id")) for one in rounds)
    for index, one in enumerate(rounds):
        pointer, name = f"/{ROUNDS}/{index}", str(one.get("id"))
        for fault in check_round(one):
            yield _found(context, f"{pointer}{fault.pointer}", fault)
        if twice[name] > 1:
            yield _problem(context, f"{pointer}/id", "ROUND_TWICE", round=name)


def _changed(context: Context, given: list[Lying]) -> Iterator[Problem]:
    """Yield the questions that were played and that are changed or moved to another round."""
    if context.room is None:
        return
    setting = setting_of(context)
    played = {one.question for one in Game.of(context).private.rounds}
    names = {str(one.question.get("id")): one for one in given}
    for before in lying(context.room.settings, setting):
        name = str(before.question.get("id"))
        if name not in played:
            continue
        now = names.get(name)
        if now is None:
            yield _problem(context, f"/{setting}", "QUESTION_GONE", question=name)
        elif now.question != before.question:
            yield _problem(context, now.pointer, "QUESTION_FROZEN", question=name)
        elif now.part.get("id") != before.part.get("id"):
            yield _problem(context, now.pointer, "QUESTION_MOVED", question=name)


def _changed_rounds(context: Context, settings: JsonObject) -> Iterator[Problem]:
    """Yield the rounds whose questions were played and whose points or time changed."""
    if context.room is None or setting_of(context) != ROUNDS:
        return
    played = {one.question for one in Game.of(context).private.rounds}
    begun = {
        str(one.part.get("id")): one.part
        for one in lying(context.room.settings, ROUNDS)
        if str(one.question.get("id")) in played
    }
    for index, now in enumerate(objects(settings.get(ROUNDS))):
        before = begun.get(str(now.get("id")), now)
        for name in _KEPT:
            if now.get(name) != before.get(name):
                pointer = f"/{ROUNDS}/{index}/{name}"
                yield _problem(context, pointer, "ROUND_FROZEN", round=now.get("title"))


def _twice(context: Context, settings: Settings) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(settings.team_names):
        if fold_text(name) in seen:
            yield _problem(context, f"/teamNames/{index}", "TEAM_TWICE", team=name)
        seen.add(fold_text(name))


def _incomplete(context: Context, settings: Settings) -> Iterator[Problem]:
    if not settings.questions:
        yield _problem(context, f"/{setting_of(context)}", "QUESTIONS_MISSING")
    else:
        yield from _empty(context, settings)
    if settings.teams != "off" and len(settings.team_names) < LEAST_TEAMS:
        yield _problem(context, "/teamNames", "TEAMS_MISSING")
    if settings.self_paced and settings.closes_at is None:
        yield _problem(context, "/closesAt", "CLOSES_AT_MISSING")
    if settings.self_paced and settings.tie_break == "suddenDeath":
        yield _problem(context, "/tieBreak", "SUDDEN_DEATH_LIVE")
    yield from _end(context, settings, before=Settings())


def _empty(context: Context, settings: Settings) -> Iterator[Problem]:
    for index, part in enumerate(settings.rounds):
        if not part.questions:
            pointer = f"/{ROUNDS}/{index}/{QUESTIONS}"
            yield _problem(context, pointer, "ROUND_EMPTY", round=part.title)


def _end(context: Context, settings: Settings, *, before: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the end; an unchanged end may have passed meanwhile."""
    closes_at = settings.closes_at
    if not settings.self_paced or closes_at is None or closes_at == before.closes_at:
        return
    if closes_at <= context.now:
        yield _problem(context, "/closesAt", "CLOSES_AT_PAST")
    elif closes_at > context.now + LONGEST:
        yield _problem(context, "/closesAt", "CLOSES_AT_FAR")


def _as_written(question: JsonObject) -> JsonObject:
    """Return a question without the answers that organizers accepted later."""
    options = question.get("options")
    if not isinstance(options, list):
        return question
    return question | {"options": [_option(one) for one in options]}


def _option(option: JsonValue) -> JsonValue:
    if not isinstance(option, dict):
        return option
    return {name: value for name, value in option.items() if name != "accepted"}


def _unreadable(context: Context, error: ValidationError) -> Iterator[Problem]:
    """Yield the values of a wrong type, with their places in the settings as the room has them."""
    only = f"/{ROUNDS}/0" if setting_of(context) == QUESTIONS else ""
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = "".join(f"/{part}" for part in fault["loc"]).removeprefix(only)
        yield Problem(pointer=pointer, code="UNREADABLE", message=fault["msg"])


def _found(context: Context, pointer: str, fault: Fault) -> Problem:
    locale = context.room.locale if context.room else "en"
    return Problem(pointer=pointer, code=fault.code, message=fault.said(locale))


def _problem(context: Context, pointer: str, code: str, **values: object) -> Problem:
    return Problem(pointer=pointer, code=code, message=say(context, code, **values))
