"""Corrections by organizers: a wrong key, another right answer, a bad question.

A correction changes the points of its own round and, if streaks give points, of later rounds. One
result corrects a limited number of windows; a timer corrects the rest. The timer also updates teams
and final standings once the host has the new points.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import islice

from mymozhem.contract import (
    ActionResult,
    Context,
    Effect,
    JsonObject,
    Rejudge,
    Reply,
    Schedule,
    SetSettings,
)

from .announcements import no_winner, told
from .game_state import Game, Status, window_of
from .key_changes import Key, Unfit, accepted, corrected, moved
from .layout import replaced, setting_of
from .messages_en import refusal
from .question_flow import chosen, open_rounds, require_idle
from .scoring import all_rounds, ranked, rejudged, results
from .settings import Question, Settings, read_settings, room_of, settings_of

#: the timer that updates points, teams and standings
TIMER = "recount"

#: windows that one result corrects, and rounds that it announces; its effects are limited
MOST_WINDOWS = 100
MOST_TOLD = 40

#: the delay prevents long chains of hooks
SOON_MS = 1_100

Change = Callable[[Question, Key], JsonObject]


def correct(context: Context, payload: JsonObject) -> ActionResult:
    """Replace the key of a question that was played, and all points that depend on it."""
    return _rekey(context, payload, corrected, "ANSWER_UNFIT")


def accept(context: Context, payload: JsonObject) -> ActionResult:
    """Accept one more answer as right."""
    return _rekey(context, payload, accepted, "ACCEPT_UNFIT")


def void(context: Context, payload: JsonObject) -> ActionResult:
    """Void a question: it gives no points, and neither adds to streaks nor breaks them."""
    settings, game = settings_of(context), Game.of(context)
    question = chosen(context, settings, payload)
    game, effects = _voided(context, settings, game, _played(context, game, question))
    return ActionResult(effects=(game.save(), *effects, *recount_after(game, effects)))


def replay(context: Context, payload: JsonObject) -> ActionResult:
    """Void a question and ask it again, in a new window."""
    settings, game = settings_of(context), Game.of(context)
    question = chosen(context, settings, payload)
    require_idle(context, settings, game)
    if not game.rounds_of(question.id):
        raise refusal(context, "QUESTION_NOT_PLAYED", question=question.id)
    standing = [number for number in game.rounds_of(question.id) if game.round(number).stands]
    game, effects = _voided(context, settings, game, standing)
    opened = open_rounds(context, settings, game, (question,))
    return ActionResult(effects=(*effects, *opened, *recount_after(game, effects)))


def corrections(
    context: Context, settings: Settings, game: Game, *, judge_again: Collection[int] = ()
) -> tuple[Game, tuple[Effect, ...]]:
    """Return the quiz, and the effects that correct its points.

    The rounds that the caller names are judged again by the current key, and everybody is notified
    of their results.
    """
    computed = results(
        context, settings, game, all_rounds(game, context.submissions), judge_again=judge_again
    )
    for number in judge_again:
        game = ranked(game, computed[number]) if number in computed else game
    found = list(islice(rejudged(game, computed), MOST_WINDOWS))
    tell = [n for n in sorted(judge_again) if n in computed and not game.round(n).held]
    events = [event for n in tell[:MOST_TOLD] for event in told(context, settings, computed[n])]
    return game, (*found, *events)


def recount_after(game: Game, effects: Sequence[Effect]) -> tuple[Schedule, ...]:
    """Return the timer that updates the rest once the host has the new points, if needed."""
    corrected = [one for one in effects if isinstance(one, Rejudge)]
    public = game.public
    follows = bool(public.teams or public.standings) or public.status is Status.FINISHED
    if not corrected or not (follows or len(corrected) >= MOST_WINDOWS):
        return ()
    return (Schedule(name=TIMER, after_ms=SOON_MS),)


def _rekey(context: Context, payload: JsonObject, change: Change, code: str) -> ActionResult:
    settings, game = settings_of(context), Game.of(context)
    question, key = chosen(context, settings, payload), Key.model_validate(payload)
    numbers = _played(context, game, question)
    try:
        new = change(question, key)
    except Unfit:
        raise refusal(context, code, question=question.id) from None
    before = room_of(context).settings
    patch = replaced(before, setting_of(context), question.id, new)
    settings = read_settings(context, before | patch)
    game = moved(game, question, settings.question(question.id) or question)
    for number in numbers:
        game = game.turned(number, fixed=False)
    game, effects = corrections(context, settings, game, judge_again=numbers)
    reply = Reply(data={"windows": [one.window_id for one in effects if isinstance(one, Rejudge)]})
    later = recount_after(game, effects)
    return ActionResult(effects=(SetSettings(patch=patch), game.save(), *effects, *later, reply))


def _voided(
    context: Context, settings: Settings, game: Game, numbers: Collection[int]
) -> tuple[Game, tuple[Effect, ...]]:
    effects: list[Effect] = []
    for number in numbers:
        effects.append(Rejudge(window_id=window_of(number), void=True))
        if settings.counts_as != "plain" and not game.round(number).held:
            effects.append(no_winner(game, number))
        game = game.turned(number, void=True)
    game, better = corrections(context, settings, game)
    return game, (*effects, *better)


def _played(context: Context, game: Game, question: Question) -> list[int]:
    """Return the rounds of this question that count; raise Refuse if there are none."""
    rounds = [game.round(number) for number in game.rounds_of(question.id)]
    if not rounds:
        raise refusal(context, "QUESTION_NOT_PLAYED", question=question.id)
    if not all(one.closed for one in rounds):
        raise refusal(context, "QUESTION_OPEN")
    standing = [n for n in game.rounds_of(question.id) if game.round(n).stands]
    if not standing:
        raise refusal(context, "QUESTION_VOID", question=question.id)
    return standing
