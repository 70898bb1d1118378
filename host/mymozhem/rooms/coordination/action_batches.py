"""Calls that wait to travel together: who waits where, and until when each may still step back."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from pydantic import JsonValue

from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock
from mymozhem.contract import JsonObject
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import MymozhemError
from mymozhem.idempotency.keys import Claim

from .room_mutex import RoomBusy

#: calls that travel together at most
MAX_CALLS = 100


@dataclass(frozen=True)
class ActionResponse:
    """What came of an action: the app's reply, and the caller's cursor right after it."""

    reply: JsonValue
    cursor: str


@dataclass(eq=False)
class BatchedCall:
    """One call of a batch action; `answer` is settled once what came of it is durable.

    `fixed` says that its effects are being written, so that nobody can step back any more.
    """

    caller: Principal
    payload: JsonObject
    received_at: datetime
    budget: Budget
    claim: Claim | None
    answer: asyncio.Future[ActionResponse] = field(default_factory=asyncio.Future)
    fixed: bool = False

    @property
    def waits(self) -> bool:
        """Tell whether somebody still waits for the answer."""
        return not self.answer.done()

    def settle(self, answer: ActionResponse | Exception) -> None:
        """Answer the caller; one who has gone is not told."""
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class Line:
    """The calls of one action in one room: `waiting` to be taken along, or `aboard` now."""

    def __init__(self) -> None:
        self.waiting: list[BatchedCall] = []
        self.aboard: tuple[BatchedCall, ...] = ()
        self.task: asyncio.Task[None] | None = None

    def board(self) -> tuple[BatchedCall, ...]:
        """Take along whoever waits, in order of arrival; those aboard stay so, in front."""
        here = [*self.aboard, *self.waiting]
        self.aboard = tuple(islice((call for call in here if call.waits), MAX_CALLS))
        self.waiting = [call for call in here if call.waits and call not in self.aboard]
        return self.aboard

    def refuse(self, call: BatchedCall, error: MymozhemError) -> None:
        """Answer one of those aboard at once, and go on without it."""
        call.settle(error)
        self.aboard = tuple(each for each in self.aboard if each is not call)

    def leave(self, answers: Sequence[ActionResponse | Exception]) -> None:
        """Settle everybody aboard."""
        for call, answer in zip(self.aboard, answers, strict=True):
            call.settle(answer)
        self.aboard = ()

    def refuse_late(self) -> None:
        """Refuse those whose time ended before they were taken along."""
        for call in self.waiting:
            if not call.budget.left_ms():
                call.settle(RoomBusy())

    def may_step_back(self, call: BatchedCall) -> bool:
        """Tell whether a call whose time is over can be refused with nothing done.

        Not while it is written; nor the last aboard, whose time is the batch's: that ends by now.
        """
        if call.fixed:
            return False
        others = [each for each in self.aboard if each is not call and each.waits]
        return call not in self.aboard or any(each.budget.left_ms() for each in others)


class LongestBudget(Budget):
    """The time of a batch: that of the call which may wait longest."""

    def __init__(self, clock: Clock, line: Line) -> None:
        super().__init__(clock, 0)
        self._line = line

    def left_ms(self) -> int:
        """Return the milliseconds that are left to whoever has most."""
        calls = [*self._line.aboard, *self._line.waiting]
        return max((call.budget.left_ms() for call in calls if call.waits), default=0)


Travel = Callable[[Line], Awaitable[None]]


class Batches:
    """Lines by room and action, each with one task that takes calls along while any wait."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Line] = {}

    async def join(self, key: tuple[str, str], call: BatchedCall, travel: Travel) -> ActionResponse:
        """Wait in line and return what came of the call; RoomBusy when its time ends first.

        `travel` takes along who waits and settles them; it runs in a task that belongs to no
        request, so that a caller who goes away takes nobody else's call with them.
        """
        line = self._lines.setdefault(key, Line())
        line.waiting.append(call)
        if line.task is None:
            # Nothing of this request, its idempotency key least of all, is that of the others.
            context = contextvars.Context()
            line.task = asyncio.create_task(self._run(key, line, travel), context=context)
        try:
            await asyncio.wait((call.answer,), timeout=call.budget.left_ms() / 1000)
            if call.waits and line.may_step_back(call):
                call.settle(RoomBusy())
            return await call.answer
        finally:
            call.answer.cancel()  # who is not there any more is not taken along

    async def _run(self, key: tuple[str, str], line: Line, travel: Travel) -> None:
        try:
            while any(call.waits for call in line.waiting):
                await travel(line)
                line.refuse_late()
        finally:
            del self._lines[key]
            for call in (*line.aboard, *line.waiting):
                call.settle(RoomBusy())
