"""The window that asks a question; it never contains the key."""

import hashlib
from collections.abc import Sequence

from pydantic import JsonValue

from mymozhem.contract import (
    Announce,
    CloseOn,
    Context,
    Effect,
    Emit,
    JsonObject,
    Judge,
    OpenWindow,
    Results,
)

from .answer_keys import NO, YES, Asked, accepts, rules
from .game_state import Game, Round, Status, window_of
from .messages_en import refusal, say
from .settings import Question, Settings, room_of

#: rounds of one room, including replayed ones: the state keeps them all
MOST_ROUNDS = 1_000


def show(
    context: Context,
    settings: Settings,
    game: Game,
    question: Question,
    *,
    tied: Sequence[str] = (),
) -> tuple[Game, tuple[Effect, ...]]:
    """Return the quiz with one more round, and the effects that open and announce its window.

    With `tied`, only those participants can answer: the round breaks their tie and gives no points.
    """
    number = len(game.private.rounds) + 1
    if number > MOST_ROUNDS:
        raise refusal(context, "TOO_MANY_ROUNDS", most=MOST_ROUNDS)
    played = Round(
        question=question.id,
        order=_order(context, settings, question, number),
        tie=bool(tied),
        held=settings.holds_results,
    )
    game = game.opened(played)
    game = game.shown(
        status=Status.QUESTION_ACTIVE,
        round=number,
        played=len({one.question for one in game.private.rounds}),
        total=len(settings.questions),
        window=None if settings.self_paced else window_of(number),
        tied=len(tied),
        closes_at=settings.closes_at if settings.self_paced else None,
        standings=(),
    )
    asked = Asked.of(question, played, room_of(context).locale)
    prompt = _prompt(context, settings, asked, played, number)
    window = _window(context, settings, asked, prompt, number=number, tied=tied)
    return game, (window, _shown(prompt, number))


def _window(
    context: Context,
    settings: Settings,
    asked: Asked,
    prompt: JsonObject,
    *,
    number: int,
    tied: Sequence[str],
) -> OpenWindow:
    question, rule = asked.question, rules(asked)
    live = not settings.self_paced
    return OpenWindow(
        id=window_of(number),
        prompt=prompt,
        accepts=_labelled(accepts(asked), prompt),
        data={"question": question.id},
        opens_in_ms=settings.countdown_ms if live else 0,
        duration_ms=settings.lasts_ms(question, context.now),
        participants=tuple(tied) or None,
        min_elapsed_ms=settings.min_elapsed_ms if live else 0,
        close_on=_close_on(settings, question, tie=bool(tied)),
        judge=Judge.CLOSE if rule is None else Judge.RULES,
        rules=rule,
        fold=("/answer",) if question.type == "text" else (),
        points=0 if tied else settings.points_of(question),
        announce=Announce(standings=settings.show_standings),
        results=Results.ON_REVEAL if settings.holds_results else Results.ON_CLOSE,
    )


def _close_on(settings: Settings, question: Question, *, tie: bool) -> CloseOn:
    """Return when the window closes early.

    In `first` the first right answer closes it, unless it takes all answers to decide who is right.
    """
    if settings.self_paced:
        return CloseOn.DEADLINE
    if settings.mode != "first" or tie:
        return CloseOn.EVERYONE
    return CloseOn.DEADLINE if question.is_nearest else CloseOn.FIRST_RIGHT


def _prompt(
    context: Context, settings: Settings, asked: Asked, played: Round, number: int
) -> JsonObject:
    """Return what everybody sees; nothing in it depends on the key."""
    question = asked.question
    prompt: JsonObject = {
        "round": number,
        "total": len(settings.questions),
        "type": question.type,
        "text": question.text,
        "points": 0 if played.tie else settings.points_of(question),
        "tie": played.tie,
    }
    if not settings.self_paced:
        prompt["seconds"] = settings.seconds_of(question)
    if asked.ids:
        options: list[JsonValue] = [_option(context, asked, option) for option in asked.ids]
        prompt |= {"options": options, "shuffle": settings.shuffle_options}
    if question.type == "number":
        prompt["nearest"] = question.is_nearest
    if question.picture is not None:
        prompt["picture"] = question.picture.model_dump()
    part = settings.part_of(question)
    if part is not None:
        prompt["part"] = settings.seen(part).model_dump()
    return prompt


def _option(context: Context, asked: Asked, option: str) -> JsonObject:
    shown: JsonObject = {"id": option, "text": text_of(context, asked, option)}
    picture = asked.options[option].picture if option in asked.options else None
    return shown if picture is None else shown | {"picture": picture.model_dump()}


def text_of(context: Context, asked: Asked, option: str) -> str:
    """Return the text of an option as participants read it."""
    if asked.question.type == "boolean":
        return say(context, {YES: "TRUE", NO: "FALSE"}[option])
    return asked.options[option].text


def _labelled(schema: JsonObject, prompt: JsonObject) -> JsonObject:
    """Return the schema with the texts of its options, for forms that only know the schema."""
    options = prompt.get("options")
    if not isinstance(options, list):
        return schema
    pairs = (one for one in options if isinstance(one, dict))
    return schema | {"x-ui": {"labels": {str(one["id"]): one["text"] for one in pairs}}}


def _order(context: Context, settings: Settings, question: Question, number: int) -> str:
    """Return the places of the options as they are shown: shuffled if their order reveals the key.

    A shuffle may return the order in which they are listed. Because no order is excluded, the order
    reveals nothing.
    """
    places = range(len(question.options) if question.has_options else 0)
    if question.type != "order" and not settings.shuffle_options:
        return "".join(map(str, places))
    # A host without seeds still gives every call an id that participants never see.
    seed = context.seed or context.call_id
    return "".join(map(str, sorted(places, key=lambda place: mix(seed, number, place))))


def mix(seed: str, *parts: object) -> bytes:
    """Return bytes by which items can be sorted into an unpredictable order."""
    return hashlib.sha256("/".join((seed, *map(str, parts))).encode()).digest()


def _shown(prompt: JsonObject, number: int) -> Emit:
    kept = {name: prompt[name] for name in ("round", "total", "type", "points", "tie")}
    part = prompt.get("part")
    if isinstance(part, dict):
        kept["part"] = part["number"]
    return Emit(type="quiz:question_shown", payload={"windowId": window_of(number), **kept})
