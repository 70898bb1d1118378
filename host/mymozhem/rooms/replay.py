"""Recompute a room from its log alone: status, state, wins, scores, windows.

Pure. A log read by organizers replays to what organizers see; the operator's export has every
stream. Draws are not repeated here: `contract.fair` verifies their records.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mymozhem.contract import (
    DrawStatus,
    JsonObject,
    Level,
    RoomStatus,
    WindowStatus,
    WinnerStatus,
)

Document = Mapping[str, Any]


class LogBroken(ValueError):
    """The log is not a valid log of a room: entries are missing, repeated or contradictory."""


@dataclass(frozen=True)
class Win:
    """A win according to the log."""

    participant_id: str
    prize_id: str
    draw_id: str | None
    status: WinnerStatus


@dataclass
class Replayed:
    """The result of a replay; `own` is the data shown to single participants, by their id."""

    events: int = 0
    status: RoomStatus | None = None
    people: int = 0
    state: dict[str, JsonObject] = field(
        default_factory=lambda: {str(level): {} for level in Level}
    )
    own: dict[str, JsonObject] = field(default_factory=dict)
    wins: dict[str, Win] = field(default_factory=dict)
    scores: Counter[str] = field(default_factory=Counter)
    draws: dict[str, DrawStatus] = field(default_factory=dict)
    windows: dict[str, WindowStatus] = field(default_factory=dict)


def replay(events: Iterable[Document]) -> Replayed:
    """Apply the entries of a log in order; event types of apps change nothing here.

    Each entry has `type` and `payload`, and `seq` and `stream` if it comes from the operator's
    export. Raises LogBroken for a gap in `seq`, for a win that was never given, and for a window
    that was never opened.
    """
    room = Replayed()
    for event in events:
        room.events += 1
        seq = event.get("seq")
        if seq is not None and seq != room.events:
            raise LogBroken(f"entry {room.events} says that it is {seq}: the log has a gap")
        apply = _APPLY.get(str(event.get("type")))
        if apply is not None:
            apply(room, event["payload"], event)
    return room


def _status(room: Replayed, payload: Document, _: Document) -> None:
    room.status = RoomStatus(str(payload["status"]))


def _people(room: Replayed, payload: Document, _: Document) -> None:
    room.people = int(payload["count"])


def _state(room: Replayed, payload: Document, _: Document) -> None:
    room.state[payload["part"]] = payload["state"]


def _own(room: Replayed, payload: Document, event: Document) -> None:
    if "stream" in event:
        room.own[event["stream"]] = payload["own"]


def _selected(room: Replayed, payload: Document, _: Document) -> None:
    if payload["winnerId"] in room.wins:
        raise LogBroken(f"{payload['winnerId']} was given twice")
    room.wins[payload["winnerId"]] = Win(
        payload["participantId"], payload["prizeId"], payload["drawId"], WinnerStatus.AWARDED
    )


def _revoked(room: Replayed, payload: Document, _: Document) -> None:
    win = _win(room, payload["winnerId"])
    room.wins[payload["winnerId"]] = Win(
        win.participant_id, win.prize_id, win.draw_id, WinnerStatus.REVOKED
    )


def _moved(room: Replayed, payload: Document, _: Document) -> None:
    win = _win(room, payload["winnerId"])
    if win.prize_id != payload["previousPrizeId"]:
        raise LogBroken(f"{payload['winnerId']} was moved from a prize that it was not for")
    room.wins[payload["winnerId"]] = Win(
        win.participant_id, payload["prizeId"], win.draw_id, win.status
    )


def _fulfilled(room: Replayed, payload: Document, _: Document) -> None:
    win = _win(room, payload["winnerId"])
    room.wins[payload["winnerId"]] = Win(
        win.participant_id, win.prize_id, win.draw_id, WinnerStatus.FULFILLED
    )


def _scores(room: Replayed, payload: Document, _: Document) -> None:
    room.scores[payload["participantId"]] += payload["points"]


def _draw(status: DrawStatus) -> "Apply":
    def apply(room: Replayed, payload: Document, _: Document) -> None:
        if payload.get("complete", True):
            room.draws[payload["drawId"]] = status

    return apply


def _opened(room: Replayed, payload: Document, _: Document) -> None:
    if payload["windowId"] in room.windows:
        raise LogBroken(f"the window {payload['windowId']} was opened twice")
    room.windows[payload["windowId"]] = WindowStatus.OPEN


def _window(status: WindowStatus) -> "Apply":
    def apply(room: Replayed, payload: Document, _: Document) -> None:
        _move_window(room, payload, status)

    return apply


def _changed(room: Replayed, payload: Document, _: Document) -> None:
    """Update the times of a window; a resumed window is open again."""
    resumed = payload["reason"] == "resumed"
    _move_window(room, payload, WindowStatus.OPEN if resumed else None)


def _corrected(room: Replayed, payload: Document, _: Document) -> None:
    _move_window(room, payload, WindowStatus.VOID if payload["void"] else WindowStatus.CLOSED)


def _move_window(room: Replayed, payload: Document, status: WindowStatus | None) -> None:
    if payload["windowId"] not in room.windows:
        raise LogBroken(f"the window {payload['windowId']} changed and was never opened")
    if status is not None:
        room.windows[payload["windowId"]] = status


def _win(room: Replayed, winner_id: str) -> Win:
    if winner_id not in room.wins:
        raise LogBroken(f"{winner_id} changed and was never given")
    return room.wins[winner_id]


Apply = Callable[[Replayed, Document, Document], None]

_APPLY: Mapping[str, Apply] = {
    "room:status_changed": _status,
    "participant:count": _people,
    "state:changed": _state,
    "state:own_changed": _own,
    "winner:selected": _selected,
    "winner:revoked": _revoked,
    "winner:moved": _moved,
    "winner:fulfilled": _fulfilled,
    "scores:changed": _scores,
    "draw:requested": _draw(DrawStatus.REQUESTED),
    "draw:committed": _draw(DrawStatus.COMMITTED),
    "draw:revealed": _draw(DrawStatus.REVEALED),
    "draw:voided": _draw(DrawStatus.VOIDED),
    "window:opened": _opened,
    "window:paused": _window(WindowStatus.PAUSED),
    "window:changed": _changed,
    "window:tallying": _window(WindowStatus.TALLYING),
    "window:closed": _window(WindowStatus.CLOSED),
    "window:revealed": _window(WindowStatus.CLOSED),
    "window:corrected": _corrected,
}
