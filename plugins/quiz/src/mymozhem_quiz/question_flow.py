"""What organizers do from question to question: start, show, close, reveal."""

from collections.abc import Mapping, Sequence

from mymozhem.contract import (
    ActionResult,
    CloseWindow,
    Context,
    Effect,
    JsonObject,
    Reply,
    RevealWindow,
)
from mymozhem.contract.wire import Wire

from .announcements import Result, status_changed, told
from .game_state import Game, Status, window_of
from .messages_en import refusal
from .question_window import show
from .rounds import begin, with_standings
from .scoring import all_rounds, gains, results
from .settings import MOST_SELF_PACED, Question, Settings, settings_of
from .teams import refresh

#: rounds that one result reveals: at most three effects each, of at most two hundred
MOST_REVEALED = 60


class ChosenPayload(Wire):
    """The question that the organizer chose."""

    question_id: str


class RevealPayload(Wire):
    """The question whose answer is revealed; without one, every answer that is held back."""

    question_id: str | None = None


def start(context: Context, _: JsonObject) -> ActionResult:
    """Open the first question, or all of them if the quiz is self-paced."""
    settings, game = settings_of(context), Game.of(context)
    if game.public.status is not Status.WAITING:
        code = "FINISHED" if game.public.status is Status.FINISHED else "STARTED_ALREADY"
        raise refusal(context, code)
    waiting = game.unplayed(settings)
    if not waiting:
        raise refusal(context, "QUESTIONS_MISSING")
    if not settings.self_paced:
        game, begun = begin(settings, game, waiting[0])
        return ActionResult(effects=(*begun, *open_rounds(context, settings, game, waiting[:1])))
    if settings.closes_at is None or settings.closes_at <= context.now:
        raise refusal(context, "CLOSES_AT_PAST" if settings.closes_at else "CLOSES_AT_MISSING")
    if len(waiting) > MOST_SELF_PACED:
        raise refusal(context, "TOO_MANY_SELF_PACED", most=MOST_SELF_PACED)
    return ActionResult(effects=open_rounds(context, settings, game, waiting))


def show_next(context: Context, _: JsonObject) -> ActionResult:
    """Open the first question that was not shown yet.

    If it is in another part and the organizer wants a pause, only announce that part.
    """
    settings, game = settings_of(context), Game.of(context)
    require_idle(context, settings, game)
    waiting = game.unplayed(settings)
    if not waiting:
        raise refusal(context, "NO_QUESTIONS_LEFT")
    game, begun = begin(settings, game, waiting[0])
    if begun and settings.pause_between_rounds:
        return ActionResult(effects=(game.save(), *begun))
    return ActionResult(effects=(*begun, *open_rounds(context, settings, game, waiting[:1])))


def show_question(context: Context, payload: JsonObject) -> ActionResult:
    """Open a question of the organizer's choice that was not shown yet."""
    settings, game = settings_of(context), Game.of(context)
    question = chosen(context, settings, payload)
    require_idle(context, settings, game)
    if game.rounds_of(question.id):
        raise refusal(context, "QUESTION_PLAYED", question=question.id)
    game, begun = begin(settings, game, question)
    return ActionResult(effects=(*begun, *open_rounds(context, settings, game, (question,))))


def close(context: Context, _: JsonObject) -> ActionResult:
    """Close the open question early; the answers so far count."""
    settings, game = settings_of(context), Game.of(context)
    if settings.self_paced:
        raise refusal(context, "SELF_PACED")
    waiting = game.open_rounds()
    if not waiting:
        raise refusal(context, "NO_QUESTION_OPEN")
    return ActionResult(effects=tuple(CloseWindow(id=window_of(n)) for n in waiting))


def reveal(context: Context, payload: JsonObject) -> ActionResult:
    """Show verdicts, standings and the right answer of rounds that were held back."""
    settings, game = settings_of(context), Game.of(context)
    wish = RevealPayload.model_validate(payload)
    held = game.held_rounds()
    if wish.question_id is not None:
        held = [n for n in held if game.round(n).question == wish.question_id]
    if not held:
        raise refusal(context, "NOTHING_TO_REVEAL")
    computed = results(context, settings, game, all_rounds(game, context.submissions))
    numbers = held[:MOST_REVEALED]
    game, effects = reveal_rounds(context, settings, game, numbers, computed)
    gained = gains(computed[number] for number in numbers if number in computed)
    game, dealt = refresh(context, settings, game, gained)
    game = with_standings(context, settings, game, gained)
    reply: JsonObject = {"revealed": len(numbers), "left": len(game.held_rounds())}
    return ActionResult(effects=(*effects, *dealt, game.save(), Reply(data=reply)))


def reveal_rounds(
    context: Context,
    settings: Settings,
    game: Game,
    numbers: Sequence[int],
    computed: Mapping[int, Result],
) -> tuple[Game, tuple[Effect, ...]]:
    """Return the quiz with these rounds revealed, and the effects that reveal and announce them."""
    effects: list[Effect] = []
    for number in numbers:
        game = game.turned(number, held=False)
        effects.append(RevealWindow(id=window_of(number)))
        if number in computed:
            effects += told(context, settings, computed[number])
    return game, tuple(effects)


def open_rounds(
    context: Context,
    settings: Settings,
    game: Game,
    questions: Sequence[Question],
    *,
    tied: Sequence[str] = (),
) -> tuple[Effect, ...]:
    """Return the effects that open questions, and store the quiz in which they are open."""
    opened: list[Effect] = []
    for question in questions:
        game, effects = show(context, settings, game, question, tied=tied)
        opened += effects
    if context.participants is None:
        return (*opened, game.save(), status_changed(game))
    game, dealt = refresh(context, settings, game)
    return (*opened, *dealt, game.save(), status_changed(game))


def chosen(context: Context, settings: Settings, payload: JsonObject) -> Question:
    """Return the question that an action names; raise Refuse if it is missing."""
    wanted = ChosenPayload.model_validate(payload).question_id
    question = settings.question(wanted)
    if question is None:
        raise refusal(context, "QUESTION_UNKNOWN", question=wanted)
    return question


def require_running(context: Context, game: Game) -> None:
    """Raise Refuse unless the quiz has started and is not over."""
    if not game.running:
        over = game.public.status is Status.FINISHED
        raise refusal(context, "FINISHED" if over else "NOT_STARTED")


def require_idle(context: Context, settings: Settings, game: Game) -> None:
    """Raise Refuse while a question is open."""
    require_running(context, game)
    if settings.self_paced:
        raise refusal(context, "SELF_PACED")
    if game.open_rounds():
        raise refusal(context, "QUESTION_OPEN")
