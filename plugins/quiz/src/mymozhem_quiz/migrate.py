"""Migrate settings and state of a room from one version of the quiz to another.

Since 2.0 questions are in rounds. An upgrade puts all of them into one round. A downgrade puts the
questions of all rounds into one list, and the notes name what a list cannot hold. Windows, played
rounds and timers are the same in both versions.
"""

from collections.abc import Iterator

from mymozhem.contract import (
    Context,
    JsonObject,
    MigratedState,
    RoomData,
    SettingsMigrationRequest,
    SettingsMigrationResult,
    hookimpl,
)

from .game_state import Game, Status
from .layout import QUESTIONS, ROUNDS, Lying, has_rounds, in_rounds, lying, objects
from .messages_en import refusal, say
from .rounds import resumed
from .settings import Settings

#: the other setting that only rooms with rounds have
PAUSE = "pauseBetweenRounds"

#: the field of the state that names the current round
PART = "part"

#: the round that takes all questions
FIRST = "r1"

#: major versions between which this code can migrate a room
KNOWN = frozenset({"1", "2"})

#: how many titles a note names, of at most fifty
MOST_NAMED = 10


@hookimpl
def migrate_settings(
    context: Context, request: SettingsMigrationRequest
) -> SettingsMigrationResult:
    """Return settings and state in the form of the other version, and notes on what was lost.

    Raise Refuse for versions that this code does not know.
    """
    for version in (request.from_version, request.to_version):
        if version.partition(".")[0] not in KNOWN:
            raise refusal(context, "VERSION_UNKNOWN", version=version)
    before, after = has_rounds(request.from_version), has_rounds(request.to_version)
    if before == after:
        return SettingsMigrationResult(settings=request.settings, state=_same(request.state))
    return _up(context, request) if after else _down(context, request)


def _up(context: Context, request: SettingsMigrationRequest) -> SettingsMigrationResult:
    settings = in_rounds(request.settings, QUESTIONS)
    questions = request.settings.get(QUESTIONS)
    one: JsonObject = {"id": FIRST, "title": _title(context), QUESTIONS: questions}
    settings = settings | {ROUNDS: [one] if questions else [], PAUSE: False}
    game = resumed(Settings.model_validate(settings), _game(request.state))
    public, private = request.state.public, request.state.private
    if game.public.part is not None:
        public = public | {PART: game.public.part.model_dump()}
        private = private | {PART: game.private.part}
    return SettingsMigrationResult(settings=settings, state=_state(public, private))


def _down(context: Context, request: SettingsMigrationRequest) -> SettingsMigrationResult:
    questions = [_alone(one) for one in lying(request.settings, ROUNDS)]
    kept = {name: value for name, value in request.settings.items() if name not in {ROUNDS, PAUSE}}
    public, private = _without(request.state.public), _without(request.state.private)
    finished = _game(request.state).public.status is Status.FINISHED
    if PART in request.state.private and not finished and "standings" in public:
        # Without rounds there is no pause between them: only final standings remain.
        public = public | {"standings": []}
    return SettingsMigrationResult(
        settings=kept | {QUESTIONS: [*questions]},
        state=_state(public, private),
        notes=tuple(_lost(context, request.settings)),
    )


def _alone(one: Lying) -> JsonObject:
    """Return a question with the points and time of its round, and options without pictures."""
    question = dict(one.question)
    for name, of_round in (("points", "points"), ("timeLimit", "timePerQuestion")):
        if of_round in one.part:
            question.setdefault(name, one.part[of_round])
    options = question.get("options")
    if isinstance(options, list):
        question["options"] = [_unpictured(option) for option in objects(options)]
    return question


def _unpictured(option: JsonObject) -> JsonObject:
    return {name: value for name, value in option.items() if name != "picture"}


def _lost(context: Context, settings: JsonObject) -> Iterator[str]:
    titles = [str(one.get("title")) for one in objects(settings.get(ROUNDS))]
    if titles not in ([], [_title(context)]):
        more = ["…"] if titles[MOST_NAMED:] else []
        yield say(context, "lost.titles", titles=", ".join([*titles[:MOST_NAMED], *more]))
    pictured = [
        option
        for one in lying(settings, ROUNDS)
        for option in objects(one.question.get("options"))
        if "picture" in option
    ]
    if pictured:
        yield say(context, "lost.pictures", count=len(pictured))
    if settings.get(PAUSE):
        yield say(context, "lost.pause")


def _title(context: Context) -> str:
    return say(context, "round.title", number=1)


def _game(state: RoomData) -> Game:
    return Game.model_validate({"public": state.public, "private": state.private})


def _without(state: JsonObject) -> JsonObject:
    return {name: value for name, value in state.items() if name != PART}


def _state(public: JsonObject, private: JsonObject) -> MigratedState:
    return MigratedState(public=public, private=private)


def _same(state: RoomData) -> MigratedState:
    return MigratedState(public=state.public, organizer=state.organizer, private=state.private)
