"""The scheduled draw: one durable timer that follows the draw date."""

from datetime import UTC, datetime

from mymozhem.contract import (
    Cancel,
    Context,
    Draw,
    Effect,
    Effects,
    Emit,
    JsonObject,
    Level,
    RoomStatus,
    Schedule,
    SetState,
    TimerRequest,
    hookimpl,
)

from .settings import Settings, room_of, settings_of

TIMER = "draw"


@hookimpl
def on_timer(context: Context, request: TimerRequest) -> Effects:
    """Draw what is left at the draw date, or report that nothing was left."""
    if request.name != TIMER or room_of(context).status is not RoomStatus.ACTIVE:
        return Effects()
    due = context.due_at or context.now
    if not any(prize.quantity_remaining for prize in context.prizes or ()):
        return Effects.of(_planned(None), _skipped(due))
    return Effects.of(_planned(None), _draw(due, settings_of(context), context.now))


def follow(context: Context, settings: Settings) -> tuple[Effect, ...]:
    """Return the effects that make the timer follow the draw date; none if it does already."""
    at = settings.draws_at(context.now)
    if stamp(at) == room_of(context).state.public.get("drawAt"):
        return ()
    timer = Schedule(name=TIMER, at=at) if at is not None else Cancel(name=TIMER)
    return timer, _planned(at), _scheduled(at)


def stamp(moment: datetime | None) -> str | None:
    """Return a moment in the form that state and events use: UTC, ISO 8601."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _draw(due: datetime, settings: Settings, now: datetime) -> Draw:
    """Return the draw for a due time; each due time has one key, so that a new date draws again.

    With public sources the draw is committed now, and runs when their values are known.
    """
    return Draw(
        key=f"scheduled-{due.astimezone(UTC):%Y%m%dT%H%M%S.%f}",
        run=not settings.sources_after(now),
        reveal=settings.reveal,
        reserves=settings.reserves,
    )


def _planned(at: datetime | None) -> SetState:
    public: JsonObject = {"drawAt": stamp(at)}
    return SetState(public=public)


def _scheduled(at: datetime | None) -> Emit:
    return Emit(type="lottery:draw_scheduled", payload={"at": stamp(at)})


def _skipped(due: datetime) -> Emit:
    return Emit(
        type="lottery:draw_skipped",
        payload={"at": stamp(due), "reason": "NO_PRIZES_LEFT"},
        to=Level.ORGANIZER,
    )
