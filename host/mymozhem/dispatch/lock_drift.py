"""Drift: a remote app replies for a different room lock than the call named."""

from dataclasses import dataclass
from typing import Protocol

from .transports.base import HookCall, Reply


@dataclass(frozen=True)
class Drifted:
    """A reply that names a different lock than the call; `named` is the text from the app."""

    app_id: str
    version: str
    room_id: str
    named: str
    expected: str


class DriftSink(Protocol):
    """Receives drifts; must not block and never raise."""

    def drifted(self, drift: Drifted, /) -> None:
        """Handle a drift."""
        ...


def drift_of(call: HookCall, reply: Reply) -> Drifted | None:
    """Return the drift of a reply; None if it names the room's lock, or no lock."""
    room, expected = call.context.room, call.context.lock
    if reply.lock is None or room is None or expected is None or reply.lock == expected:
        return None
    return Drifted(call.app.app_id, call.app.version, room.id, reply.lock, expected)
