"""The parts of a quiz, which people call rounds: the current one, and what is shown between two."""

from collections.abc import Mapping

from mymozhem.contract import Context, Emit, JsonObject

from .game_state import Game, Status
from .settings import Part, Question, Settings
from .standings import best, final

NOTHING: Mapping[str, int] = {}


def begin(settings: Settings, game: Game, question: Question) -> tuple[Game, tuple[Emit, ...]]:
    """Return the quiz in the part of a question, and the event that this part begins.

    There is no event if it is the current part already, or if the room has no rounds.
    """
    part = settings.part_of(question)
    if part is None or part.id == game.private.part:
        return game, ()
    game = _named(settings, game.kept(part=part.id), part)
    return game, (_started(settings, part),)


def with_standings(
    context: Context, settings: Settings, game: Game, gained: Mapping[str, int] = NOTHING
) -> Game:
    """Return the quiz with the standings that everybody sees during a pause between two parts.

    `gained` are points that this result gives and that the participants do not have yet.
    """
    if context.participants is None or not _rests(settings, game):
        return game
    places = best(final(context, game, gained)) if settings.show_standings else ()
    return game.shown(standings=places)


def mended(settings: Settings, game: Game) -> Game:
    """Return the quiz with new settings applied: another title, or no standings any more."""
    part = settings.part(game.private.part)
    if part is None or not game.running:
        return game
    game = _named(settings, game, part)
    return game if settings.show_standings else game.shown(standings=())


def resumed(settings: Settings, game: Game) -> Game:
    """Return a quiz that began in a room without rounds, in the part of its last question."""
    if not game.running or settings.self_paced or not game.private.rounds:
        return game
    question = settings.question(game.private.rounds[-1].question)
    part = settings.part_of(question) if question is not None else None
    return game if part is None else _named(settings, game.kept(part=part.id), part)


def _rests(settings: Settings, game: Game) -> bool:
    part = settings.part(game.private.part)
    if part is None or game.public.status is not Status.BETWEEN_ROUNDS:
        return False
    played = {one.question for one in game.private.rounds}
    return all(one.id in played for one in part.questions)


def _named(settings: Settings, game: Game, part: Part) -> Game:
    return game.shown(part=settings.seen(part))


def _started(settings: Settings, part: Part) -> Emit:
    seen = settings.seen(part)
    payload: JsonObject = {"part": seen.number, "of": seen.of, "title": seen.title}
    return Emit(type="quiz:part_started", payload=payload)
