"""The end: final standings, and prizes by rank, with ties broken as the organizer chose."""

from collections import Counter
from collections.abc import Sequence

from mymozhem.contract import (
    ActionResult,
    Award,
    CloseWindow,
    Context,
    Draw,
    Effect,
    Effects,
    Emit,
    JsonObject,
    PrizeCount,
    Reply,
)
from mymozhem.contract.effects import MAX_EFFECTS

from .announcements import status_changed
from .game_state import Game, Place, Status, window_of
from .messages_en import refusal
from .question_flow import MOST_REVEALED, open_rounds, require_running, reveal_rounds
from .scoring import all_rounds, gains, results
from .settings import Settings, settings_of
from .standings import Awarded, Tie, best, final, ranker, share_out
from .teams import refresh

#: how many places the event names, and how many ties one result draws
MOST_PLACES = 100
MOST_DRAWS = 10


def end(context: Context, _: JsonObject) -> ActionResult:
    """End the quiz, or first play a question that breaks a tie.

    In a self-paced quiz, close all questions instead.
    """
    settings, game = settings_of(context), Game.of(context)
    require_running(context, game)
    waiting = game.open_rounds()
    if waiting and settings.self_paced:
        closing = tuple(CloseWindow(id=window_of(number)) for number in waiting)
        return ActionResult(effects=(*closing, Reply(data={"closing": len(closing)})))
    if waiting:
        raise refusal(context, "QUESTION_OPEN")
    return ActionResult(effects=_end(context, settings, game))


def finish(context: Context) -> Effects:
    """End a self-paced quiz once all its questions are settled."""
    settings, game = settings_of(context), Game.of(context)
    if not game.running or game.open_rounds():
        return Effects()
    ended = _end(context, settings, game)
    return Effects(effects=tuple(one for one in ended if not isinstance(one, Reply)))


def _end(context: Context, settings: Settings, game: Game) -> tuple[Effect, ...]:
    computed = results(context, settings, game, all_rounds(game, context.submissions))
    held = game.held_rounds()
    gained = gains(computed[number] for number in held if number in computed)
    places = final(context, game, gained)
    prizes = share_out(places, context.prizes or (), context.winners or ())
    deciding = _sudden_death(context, settings, game, prizes.ties)
    if deciding:
        return deciding
    game, revealed = reveal_rounds(context, settings, game, held[:MOST_REVEALED], computed)
    draws = prizes.ties[:MOST_DRAWS] if settings.tie_break == "draw" else ()
    game = game.shown(status=Status.FINISHED, window=None, part=None, standings=best(places))
    game = game.kept(draws={_key(tie): ranker(game)(tie.people[0], tie.points) for tie in draws})
    game, dealt = refresh(context, settings, game, gained)
    undecided = [tie for tie in prizes.ties if tie not in draws]
    before = (*revealed, *dealt, game.save(), *map(_draw, draws))
    after = (_finished(game, places, undecided), status_changed(game))
    awards = prizes.awards[: MAX_EFFECTS - len(before) - len(after) - 1]
    reply: JsonObject = {
        "finished": True,
        "awarded": len(awards),
        "left": len(prizes.awards) - len(awards),
        "draws": [_key(tie) for tie in draws],
        "undecided": [_tie(tie) for tie in undecided[:MOST_PLACES]],
    }
    return (*before, *map(_award, awards), *after, Reply(data=reply))


def _sudden_death(
    context: Context, settings: Settings, game: Game, ties: Sequence[Tie]
) -> tuple[Effect, ...]:
    """Return the effects that ask the participants tied for the best prize one more question."""
    waiting = game.unplayed(settings)
    if settings.tie_break != "suddenDeath" or settings.self_paced or not ties or not waiting:
        return ()
    tie = ties[0]
    opened = open_rounds(context, settings, game, waiting[:1], tied=tie.people)
    return (*opened, Reply(data={"finished": False, "tied": [*tie.people[:MOST_PLACES]]}))


def _award(award: Awarded) -> Award:
    place = award.place
    return Award(
        participant_id=place.participant_id,
        prize_id=award.prize_id,
        metadata={"place": place.rank, "points": place.points},
    )


def _draw(tie: Tie) -> Draw:
    counted = Counter(tie.units)
    prizes = tuple(PrizeCount(prize_id=prize, count=units) for prize, units in counted.items())
    return Draw(key=_key(tie), prizes=prizes, run=True)


def _key(tie: Tie) -> str:
    return f"tie-{tie.rank}"


def _finished(game: Game, places: Sequence[Place], undecided: Sequence[Tie]) -> Emit:
    payload: JsonObject = {
        "standings": [_place(place) for place in places[:MOST_PLACES] if place.points],
        "teams": [{"name": team.name, "mean": team.mean} for team in game.public.teams],
        "undecided": [_tie(tie) for tie in undecided[:MOST_PLACES]],
    }
    return Emit(type="quiz:finished", payload=payload)


def _place(place: Place) -> JsonObject:
    return {"rank": place.rank, "participantId": place.participant_id, "points": place.points}


def _tie(tie: Tie) -> JsonObject:
    people, units = tie.people[:MOST_PLACES], tie.units[:MOST_PLACES]
    return {"rank": tie.rank, "participantId": [*people], "prizeId": [*units]}
