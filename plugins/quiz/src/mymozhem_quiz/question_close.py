"""The close of a question: verdicts and points in bulk, then the events for everybody."""

from collections.abc import Iterator

from mymozhem.contract import (
    CloseWindowRequest,
    CloseWindowResult,
    Context,
    Effect,
    RoomStatus,
    Schedule,
    hookimpl,
)

from .announcements import Result, status_changed, told
from .game_state import Game, Status
from .rounds import with_standings
from .scoring import all_rounds, gains, ranked, results, verdicts
from .settings import Settings, room_of, settings_of
from .submissions import rows_of
from .teams import refresh

#: the timer that ends a self-paced quiz
FINISH = "finish"


@hookimpl
def close_window(context: Context, request: CloseWindowRequest) -> CloseWindowResult:
    """Judge a round, compute its points, and advance the quiz.

    A window that is no round, or whose question is gone, keeps the verdicts of its own rules.
    """
    settings, game = settings_of(context), Game.of(context)
    number = game.number_of(request.window.id)
    if number is None or game.round(number).closed:
        return CloseWindowResult()
    game = moved_on(game.turned(number, closed=True))
    result = _result(context, settings, game, number, request)
    if result is None:
        effects: tuple[Effect, ...] = (game.save(), *where(settings, game))
        return CloseWindowResult(effects=timely(context, effects))
    effects = timely(context, _settled(context, settings, game, result))
    return CloseWindowResult(effects=effects, verdicts=verdicts(result))


def timely(context: Context, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Return the effects, without timers if the room is over: nothing waits for a timer then."""
    if room_of(context).status is RoomStatus.ACTIVE:
        return effects
    return tuple(one for one in effects if not isinstance(one, Schedule))


def moved_on(game: Game) -> Game:
    """Return the quiz between two rounds if no question is open any more."""
    if game.open_rounds() or not game.running:
        return game
    return game.shown(status=Status.BETWEEN_ROUNDS, window=None, tied=0)


def _settled(
    context: Context, settings: Settings, game: Game, result: Result
) -> tuple[Effect, ...]:
    game = ranked(game, result)
    shown = [] if game.round(result.number).held else [result]
    gained = gains(shown)
    game, dealt = refresh(context, settings, game, gained)
    game = with_standings(context, settings, game, gained)
    events = [event for one in shown for event in told(context, settings, one)]
    return (*dealt, game.save(), *events, *where(settings, game))


def _result(
    context: Context, settings: Settings, game: Game, number: int, request: CloseWindowRequest
) -> Result | None:
    """Return the result of a round; earlier rounds are needed only if streaks give points."""
    earlier = all_rounds(game, context.submissions) if settings.bonus else {}
    answers = {**earlier, number: list(rows_of(request.submissions))}
    return results(context, settings, game, answers).get(number)


def where(settings: Settings, game: Game) -> Iterator[Effect]:
    """Yield the effects that follow when no question is open any more."""
    if game.public.status is Status.BETWEEN_ROUNDS:
        yield status_changed(game)
        if settings.self_paced:
            yield Schedule(name=FINISH, after_ms=0)
