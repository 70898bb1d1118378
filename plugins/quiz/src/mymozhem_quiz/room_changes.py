"""What the quiz does when the host or an organizer changes the room."""

from mymozhem.contract import (
    Change,
    ChangeKind,
    ChangeWindow,
    Context,
    Effect,
    Effects,
    RoomChangeRequest,
    Schedule,
    hookimpl,
)

from .announcements import no_winner
from .corrections import SOON_MS, TIMER
from .game_state import Game, window_of
from .question_close import moved_on, timely, where
from .rounds import mended
from .settings import Settings, settings_of


@hookimpl
def on_room_changed(context: Context, request: RoomChangeRequest) -> Effects:
    """Continue after the host settled, revealed or corrected a window."""
    change = request.change
    settings, game = settings_of(context), Game.of(context)
    match change.kind:
        case ChangeKind.WINDOW:
            return Effects(effects=timely(context, _window(settings, game, change)))
        case ChangeKind.SETTINGS:
            return Effects(effects=_with(settings, game))
        case _:
            return Effects()


def _window(settings: Settings, game: Game, change: Change) -> tuple[Effect, ...]:
    number = game.number_of(change.window_id)
    if number is None:
        return ()
    match change.what:
        case "settled":
            return _settled(settings, game, number)
        case "revealed":
            return _revealed(game, number)
        case "corrected":
            return _corrected(settings, game, number)
        case "voided":
            return _voided(settings, game, number)
        case _:
            return ()


def _settled(settings: Settings, game: Game, number: int) -> tuple[Effect, ...]:
    """Keep the results of a window that the host settled by its own rules.

    The host does that while this app is down.
    """
    if game.round(number).closed:
        return ()
    game = moved_on(game.turned(number, closed=True, fixed=True))
    game = _untold(game, number)
    return (game.save(), *where(settings, game), Schedule(name=TIMER, after_ms=0))


def _revealed(game: Game, number: int) -> tuple[Effect, ...]:
    """Announce results that were held back and that the host revealed when they were due."""
    if not game.round(number).held:
        return ()
    game = _untold(game.turned(number, held=False), number)
    return (game.save(), Schedule(name=TIMER, after_ms=0))


def _corrected(settings: Settings, game: Game, number: int) -> tuple[Effect, ...]:
    """Keep the results of a window that an organizer corrected through the host's API.

    If the window was void, it counts again.
    """
    if not game.round(number).closed:
        return _settled(settings, game, number)
    game = _untold(game.turned(number, fixed=True, void=False), number)
    return (game.save(), Schedule(name=TIMER, after_ms=SOON_MS))


def _voided(settings: Settings, game: Game, number: int) -> tuple[Effect, ...]:
    """Note that an organizer voided a window, which may be open, through the host's API."""
    before = game.round(number)
    if before.void:
        return ()
    told = () if before.held or settings.counts_as == "plain" else (no_winner(game, number),)
    game = moved_on(game.turned(number, closed=True, void=True))
    follows = () if before.closed else tuple(where(settings, game))
    return (game.save(), *told, *follows, Schedule(name=TIMER, after_ms=SOON_MS))


def _untold(game: Game, number: int) -> Game:
    if game.round(number).held:
        return game
    return game.kept(untold=tuple(dict.fromkeys((*game.private.untold, number))))


def _with(settings: Settings, game: Game) -> tuple[Effect, ...]:
    """Return the effects that apply new settings to the quiz."""
    changed, windows = _move_end(settings, mended(settings, game))
    return () if changed == game else (*windows, changed.save())


def _move_end(settings: Settings, game: Game) -> tuple[Game, tuple[Effect, ...]]:
    """Move the end of all open questions of a self-paced quiz to the end in the settings."""
    closes_at = settings.closes_at
    if not (game.running and settings.self_paced) or closes_at in (None, game.public.closes_at):
        return game, ()
    moved = (ChangeWindow(id=window_of(one), closes_at=closes_at) for one in game.open_rounds())
    return game.shown(closes_at=closes_at), tuple(moved)
