"""Calls of this process that have not finished: running, or accepted by an app for later."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import BaseModel

from mymozhem.contract import DecidedBy
from mymozhem.dispatch.outcome import FailureKind, Outcome

#: accepted calls that are remembered; the oldest is forgotten first
MOST = 1_000


@dataclass(frozen=True)
class AcceptedCall:
    """A call that the app answers later, so that something else decided; `at` is monotonic."""

    app_id: str
    hook: str
    room_id: str
    decided_by: DecidedBy
    at: float


class InFlightCalls:
    """The calls of apps in progress, by call id; used from one event loop."""

    def __init__(self) -> None:
        self._finished: dict[str, asyncio.Event] = {}
        self._accepted: OrderedDict[str, AcceptedCall] = OrderedDict()

    @contextmanager
    def track(self, call_id: str) -> Iterator[None]:
        """Mark a call as in flight, from the request to the commit of its outcome."""
        finished = self._finished[call_id] = asyncio.Event()
        try:
            yield
        finally:
            if self._finished.get(call_id) is finished:  # a kept call may be in flight twice
                del self._finished[call_id]
            finished.set()

    async def wait_finished(self, call_id: str) -> None:
        """Wait until the outcome of a call is written; return now if it is not in flight."""
        event = self._finished.get(call_id)
        if event is not None:
            await event.wait()

    def note_accepted(
        self, outcome: Outcome[BaseModel], *, app_id: str, hook: str, room_id: str, at: float
    ) -> None:
        """Remember a call whose app will answer by a callback; do nothing for any other."""
        if outcome.failure is None or outcome.failure.kind is not FailureKind.ACCEPTED:
            return
        self._accepted[outcome.call_id] = AcceptedCall(
            app_id, hook, room_id, outcome.decided_by, at
        )
        if len(self._accepted) > MOST:
            self._accepted.popitem(last=False)

    def take_accepted(self, call_id: str, *, app_id: str) -> AcceptedCall | None:
        """Return a call that this app was to answer later, and forget it; None for any other."""
        found = self._accepted.get(call_id)
        return self._accepted.pop(call_id) if found and found.app_id == app_id else None
