"""What the quiz does when a timer is due: end, update the teams, update the points."""

from collections.abc import Callable

from mymozhem.contract import Context, Effect, Effects, Schedule, TimerRequest, hookimpl

from .announcements import told
from .corrections import MOST_TOLD, SOON_MS, corrections, recount_after
from .corrections import TIMER as RECOUNT
from .final_results import finish
from .game_state import Game, Status
from .question_close import FINISH
from .rounds import with_standings
from .scoring import all_rounds, gains, results
from .settings import settings_of
from .standings import best, final
from .teams import TIMER as TEAMS
from .teams import refresh


@hookimpl
def on_timer(context: Context, request: TimerRequest) -> Effects:
    """Handle the timer that the request names; an unknown one does nothing."""
    act = TIMERS.get(request.name)
    return act(context) if act is not None else Effects()


def look_at_teams(context: Context) -> Effects:
    """Deal missing teams if teams are balanced, and count members and points again."""
    settings, before = settings_of(context), Game.of(context)
    game, dealt = refresh(context, settings, before)
    return Effects(effects=(*dealt, *_saved(before, game)))


def recount(context: Context) -> Effects:
    """Correct points that are not up to date yet, and announce what the host settled or revealed.

    If points change, another timer updates teams and standings, when the participants have the
    points.
    """
    settings, before = settings_of(context), Game.of(context)
    game, better = corrections(context, settings, before)
    waiting = game.private.untold
    computed = results(context, settings, game, all_rounds(game, context.submissions))
    events = [
        event
        for n in waiting[:MOST_TOLD]
        if n in computed
        for event in told(context, settings, computed[n])
    ]
    game = game.kept(untold=waiting[MOST_TOLD:])
    game, dealt = refresh(context, settings, game)
    game = with_standings(context, settings, game)
    if game.public.status is Status.FINISHED:
        held = gains(computed[number] for number in game.held_rounds() if number in computed)
        game = game.shown(standings=best(final(context, game, held)))
    more = (Schedule(name=RECOUNT, after_ms=SOON_MS),) if waiting[MOST_TOLD:] else ()
    again = more or recount_after(game, better)
    return Effects(effects=(*better, *events, *dealt, *_saved(before, game), *again))


def _saved(before: Game, game: Game) -> tuple[Effect, ...]:
    return () if game == before else (game.save(),)


TIMERS: dict[str, Callable[[Context], Effects]] = {
    FINISH: finish,
    TEAMS: look_at_teams,
    RECOUNT: recount,
}
