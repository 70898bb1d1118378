"""The actions that request a draw from the host, now or later."""

import hashlib
from collections.abc import Sequence
from typing import Literal

from mymozhem.contract import (
    ActionResult,
    Context,
    Draw,
    Effect,
    JsonObject,
    Prize,
    PrizeCount,
    Refuse,
    Reply,
    Revoke,
    SetSettings,
    WinnerStatus,
)
from mymozhem.contract.wire import Moment, Wire

from .draw_entries import ONLY_PRESENT
from .messages_en import say
from .revocable_wins import find_win
from .schedule import follow, stamp
from .settings import Settings, Source, settings_of
from .validation import when_running

Reveal = Literal["now", "manual"]


class Wanted(Wire):
    """A prize to draw; without a count, all of its units that are left."""

    prize_id: str
    count: int | None = None


class DrawPayload(Wire):
    """Which prizes to draw, and how; without prizes, all that is left.

    If `only_present` is None, the settings decide.
    """

    prizes: tuple[Wanted, ...] | None = None
    run: bool = True
    reveal: Reveal | None = None
    only_present: bool | None = None
    public_sources: tuple[Source, ...] = ()


class RedrawPayload(Wire):
    """The win to take back and draw again."""

    winner_id: str
    reason: str = ""
    reveal: Reveal | None = None
    only_present: bool | None = None
    public_sources: tuple[Source, ...] = ()


class SchedulePayload(Wire):
    """When the scheduled draw takes place; None cancels it."""

    at: Moment | None


def draw(context: Context, payload: JsonObject) -> ActionResult:
    """Request a draw of one prize, of several, or of all that is left."""
    wish = DrawPayload.model_validate(payload)
    stock = [prize for prize in context.prizes or () if prize.quantity_remaining]
    if not stock:
        raise Refuse("NO_PRIZES_LEFT", say(context, "NO_PRIZES_LEFT"))
    prizes = None if wish.prizes is None else _counts(context, wish.prizes)
    sources, settings = _sources(context, wish.public_sources), settings_of(context)
    effect = Draw(
        key=_key("draw", context),
        prizes=prizes,
        run=wish.run and not sources,
        reveal=wish.reveal or settings.reveal,
        public_sources=tuple(source.named() for source in sources),
        reserves=settings.reserves,
        data=_note(wish.only_present),
    )
    return ActionResult(effects=(effect, _reply(effect)))


def redraw(context: Context, payload: JsonObject) -> ActionResult:
    """Take back an absent winner's prize and draw it again, in one step."""
    wish = RedrawPayload.model_validate(payload)
    winner = find_win(context, wish.winner_id)
    sources, settings = _sources(context, wish.public_sources), settings_of(context)
    effect = Draw(
        key=_key("redraw", context),
        prizes=(PrizeCount(prize_id=winner.prize_id, count=1),),
        run=not sources,
        reveal=wish.reveal or settings.reveal,
        public_sources=tuple(source.named() for source in sources),
        replaces=winner.id,
        reserves=settings.reserves,
        data=_note(wish.only_present),
    )
    back: tuple[Effect, ...] = ()
    if winner.status is not WinnerStatus.REVOKED:
        back = (Revoke(winner_id=winner.id, reason=wish.reason),)
    return ActionResult(effects=(*back, effect, _reply(effect)))


def schedule(context: Context, payload: JsonObject) -> ActionResult:
    """Move the draw date or remove it; the timer changes in the same transaction."""
    before = settings_of(context)
    at = SchedulePayload.model_validate(payload).at
    after = before.model_copy(update={"draw_date": at})
    for problem in when_running(context, after, before=before):
        raise Refuse(problem.code, problem.message)
    return ActionResult(
        effects=(
            SetSettings(patch={"drawDate": stamp(at)}),
            *follow(context, after),
            Reply(data={"drawAt": stamp(at)}),
        )
    )


def _key(kind: str, context: Context) -> str:
    """Return the key of a draw; a repeated call has the same id, and so requests the same draw."""
    return f"{kind}-{hashlib.sha256(context.call_id.encode()).hexdigest()[:16]}"


def _note(only_present: bool | None) -> JsonObject:  # noqa: FBT001  what the payload says
    """Return what `prepare_draw` needs to know about this draw only."""
    return {} if only_present is None else {ONLY_PRESENT: only_present}


def _reply(effect: Draw) -> Reply:
    return Reply(data={"key": effect.key, "run": effect.run, "reveal": effect.reveal})


def _sources(context: Context, given: Sequence[Source]) -> tuple[Source, ...]:
    """Return the sources of a draw.

    Raise Refuse if their values may be known already, or if it is open how these are written.
    """
    settings: Settings = settings_of(context)
    for source in given:
        if source.due <= context.now:
            message = say(context, "SOURCE_TOO_EARLY", name=source.name)
            raise Refuse("SOURCE_TOO_EARLY", message)
        if not source.is_fixed:
            raise Refuse("FORMAT_MISSING", say(context, "FORMAT_MISSING", name=source.name))
    sources = tuple(given) or settings.sources_after(context.now)
    if settings.selection_method == "rfc3797" and not sources:
        raise Refuse("SOURCES_MISSING", say(context, "SOURCES_MISSING"))
    return sources


def _counts(context: Context, wanted: Sequence[Wanted]) -> tuple[PrizeCount, ...]:
    known = {prize.id: prize for prize in context.prizes or ()}
    counts: dict[str, int] = {}
    for wish in wanted:
        prize = known.get(wish.prize_id)
        if prize is None:
            raise Refuse(
                "PRIZE_UNKNOWN",
                say(context, "PRIZE_UNKNOWN", prize=wish.prize_id),
            )
        if prize.id in counts:
            raise Refuse("PRIZE_TWICE", say(context, "PRIZE_TWICE", prize=prize.name))
        counts[prize.id] = _count(context, prize, wish.count)
    return tuple(PrizeCount(prize_id=prize, count=count) for prize, count in counts.items())


def _count(context: Context, prize: Prize, wanted: int | None) -> int:
    left = prize.quantity_remaining
    if not 0 < (left if wanted is None else wanted) <= left:
        raise Refuse(
            "PRIZE_SHORT",
            say(context, "PRIZE_SHORT", prize=prize.name, left=left),
            {"prizeId": prize.id, "left": left},
        )
    return left if wanted is None else wanted
