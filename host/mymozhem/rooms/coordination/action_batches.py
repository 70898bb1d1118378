"""Batches of action calls, by room and action; a caller may withdraw while their call waits."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock
from mymozhem.concurrency.keyed_batcher import Batch, KeyedBatcher, Process
from mymozhem.contract import JsonObject
from mymozhem.dispatch.policy import Budget
from mymozhem.idempotency.keys import Claim

from .room_mutex import RoomBusy

#: calls of one batch at most
MAX_CALLS = 100


@dataclass(frozen=True)
class ActionResponse:
    """The outcome of an action: the app's reply, and the caller's cursor right after it."""

    reply: JsonValue
    cursor: str


@dataclass(eq=False)
class BatchedCall:
    """One call of a batch action.

    `fixed` means that its effects are being written, so its caller cannot withdraw any more.
    """

    caller: Principal
    payload: JsonObject
    received_at: datetime
    budget: Budget
    claim: Claim | None
    fixed: bool = False


ActionBatch = Batch[BatchedCall, ActionResponse]


class LongestBudget(Budget):
    """The time budget of a batch: that of the call that may wait longest."""

    def __init__(self, clock: Clock, batch: ActionBatch) -> None:
        super().__init__(clock, 0)
        self._batch = batch

    def left_ms(self) -> int:
        """Return the remaining milliseconds of the call with the most, waiting calls included."""
        return max((call.budget.left_ms() for call in self._batch.pending()), default=0)


class ActionBatches:
    """Batches of calls by room and action; each call waits within its own budget."""

    def __init__(self) -> None:
        self._batcher: KeyedBatcher[tuple[str, str], BatchedCall, ActionResponse] = KeyedBatcher(
            max_size=MAX_CALLS
        )

    def __len__(self) -> int:
        """Return the number of actions of rooms that have calls waiting or in process."""
        return len(self._batcher)

    def pending(self, key: tuple[str, str]) -> int:
        """Return the number of calls of an action in a room without a response."""
        batch = self._batcher.batch(key)
        return 0 if batch is None else len(batch.pending())

    async def submit(
        self,
        key: tuple[str, str],
        call: BatchedCall,
        process: Process[BatchedCall, ActionResponse],
    ) -> ActionResponse:
        """Wait for the call's batch and return the response; RoomBusy if its time ends first.

        A cancelled caller withdraws their own call only.
        """
        response = self._batcher.put(key, call, process)
        try:
            await asyncio.wait((response,), timeout=call.budget.left_ms() / 1000)
            if not response.done() and self._may_step_back(key, call):
                raise RoomBusy
            return await response
        finally:
            response.cancel()

    def _may_step_back(self, key: tuple[str, str], call: BatchedCall) -> bool:
        """Return whether a call whose time is over can be refused without side effects.

        It cannot while it is being written, nor if it is the only call of its batch with a waiting
        caller: the batch has the time of its calls, so it ends by then.
        """
        batch = self._batcher.batch(key)
        if call.fixed or batch is None:
            return False
        others = [each for each in batch if each is not call and batch.is_pending(each)]
        return not batch.is_pending(call) or any(each.budget.left_ms() for each in others)
