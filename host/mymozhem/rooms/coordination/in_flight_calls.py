"""Calls of this process that are not over: being asked, or taken by an app that answers later."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import BaseModel

from mymozhem.contract import DecidedBy
from mymozhem.dispatch.outcome import FailureKind, Outcome

#: accepted calls that are remembered; the oldest gives way
MOST = 1_000


@dataclass(frozen=True)
class Accepted:
    """A call that something else decided, since its app takes its time; `at` is monotonic."""

    app_id: str
    hook: str
    room_id: str
    decided_by: DecidedBy
    at: float


class OpenCalls:
    """Who is being asked what now, by call id; used from one event loop."""

    def __init__(self) -> None:
        self._asking: dict[str, asyncio.Event] = {}
        self._accepted: OrderedDict[str, Accepted] = OrderedDict()

    @contextmanager
    def asking(self, call_id: str) -> Iterator[None]:
        """Mark a call as open, from the question to the commit of what became of it."""
        over = self._asking[call_id] = asyncio.Event()
        try:
            yield
        finally:
            if self._asking.get(call_id) is over:  # a kept call may be asked twice after a pause
                del self._asking[call_id]
            over.set()

    async def over(self, call_id: str) -> None:
        """Wait until what became of a call is written; returns at once where nobody is at it."""
        event = self._asking.get(call_id)
        if event is not None:
            await event.wait()

    def note(
        self, outcome: Outcome[BaseModel], *, app_id: str, hook: str, room_id: str, at: float
    ) -> None:
        """Remember a call whose app will answer by a callback; nothing happens for any other."""
        if outcome.failure is None or outcome.failure.kind is not FailureKind.ACCEPTED:
            return
        self._accepted[outcome.call_id] = Accepted(app_id, hook, room_id, outcome.decided_by, at)
        if len(self._accepted) > MOST:
            self._accepted.popitem(last=False)

    def accepted(self, call_id: str, *, app_id: str) -> Accepted | None:
        """Return a call that this app was to answer later, and forget it; None for any other."""
        found = self._accepted.get(call_id)
        return self._accepted.pop(call_id) if found and found.app_id == app_id else None
