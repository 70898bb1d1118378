"""Drift: a remote app that answers for another lock than the room has it was asked for."""

from dataclasses import dataclass
from typing import Protocol

from .transports.base import HookCall, Reply


@dataclass(frozen=True)
class Drifted:
    """A reply that named another lock than the question; `named` is the app's own word."""

    app_id: str
    version: str
    room_id: str
    named: str
    expected: str


class DriftSink(Protocol):
    """Takes note of drifts; it must return at once and never raise."""

    def drifted(self, drift: Drifted, /) -> None:
        """Take note of one."""
        ...


def drift_of(call: HookCall, reply: Reply) -> Drifted | None:
    """Return how far a reply is from the room's lock; None where it names that, or none."""
    room, expected = call.context.room, call.context.lock
    if reply.lock is None or room is None or expected is None or reply.lock == expected:
        return None
    return Drifted(call.app.app_id, call.app.version, room.id, reply.lock, expected)
