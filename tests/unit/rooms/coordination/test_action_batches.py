"""Batches of actions: who may step back when their time is over, and who goes with a caller."""

import asyncio
from datetime import UTC, datetime

import pytest

from mymozhem.auth.principal import Principal
from mymozhem.clock import SystemClock
from mymozhem.contract import PersonKind
from mymozhem.dispatch.policy import Budget
from mymozhem.rooms.coordination.action_batches import (
    ActionBatch,
    ActionBatches,
    ActionResponse,
    BatchedCall,
    LongestBudget,
)
from mymozhem.rooms.coordination.room_mutex import RoomBusy

KEY = ("room_1", "press")
LONG_MS, SHORT_MS = 60_000, 20


def call(milliseconds: int = LONG_MS) -> BatchedCall:
    return BatchedCall(
        caller=Principal("usr_1", PersonKind.GUEST, "room_1", "token"),
        payload={},
        received_at=datetime(2030, 1, 1, tzinfo=UTC),
        budget=Budget(SystemClock(), milliseconds),
        claim=None,
    )


class App:
    """Answers each batch with its number, once `gate` is open; fixes calls if it `fixes`."""

    def __init__(self, *, fixes: bool = False) -> None:
        self.batches: list[tuple[BatchedCall, ...]] = []
        self.batch: ActionBatch | None = None
        self.gate = asyncio.Event()
        self.fixes = fixes

    async def __call__(self, batch: ActionBatch) -> dict[BatchedCall, ActionResponse | Exception]:
        self.batch = batch
        self.batches.append(batch[:])
        number = len(self.batches)
        for each in batch:
            each.fixed = self.fixes
        await self.gate.wait()
        return dict.fromkeys(batch, ActionResponse(number, "c"))


@pytest.fixture
def batches() -> ActionBatches:
    return ActionBatches()


async def submitted(
    batches: ActionBatches, app: App, *calls: BatchedCall
) -> list["asyncio.Task[ActionResponse]"]:
    tasks = [asyncio.create_task(batches.submit(KEY, each, app)) for each in calls]
    for _ in range(4):
        await asyncio.sleep(0)
    return tasks


async def replies(*tasks: "asyncio.Task[ActionResponse]") -> list[object]:
    found = await asyncio.gather(*tasks, return_exceptions=True)
    return [each.reply if isinstance(each, ActionResponse) else type(each) for each in found]


async def test_calls_that_wait_are_processed_together(batches):
    app = App()
    tasks = await submitted(batches, app, call())
    tasks += await submitted(batches, app, call(), call())
    assert batches.pending(KEY) == 3
    app.gate.set()
    assert await replies(*tasks) == [1, 2, 2]
    assert (batches.pending(KEY), len(batches)) == (0, 0)


async def test_a_call_that_waits_behind_a_batch_steps_back_when_its_time_is_over(batches):
    app, hurried = App(), call(SHORT_MS)
    tasks = await submitted(batches, app, call())
    tasks += await submitted(batches, app, hurried)
    await asyncio.wait({tasks[1]})
    app.gate.set()
    assert await replies(*tasks) == [1, RoomBusy]
    assert [len(batch) for batch in app.batches] == [1]


async def test_a_call_steps_back_out_of_its_batch_if_another_one_has_time(batches):
    app = App()
    tasks = await submitted(batches, app, call(SHORT_MS), call())
    await asyncio.wait({tasks[0]})
    app.gate.set()
    assert await replies(*tasks) == [RoomBusy, 1]


@pytest.mark.parametrize(("others", "fixes"), [(0, False), (0, True), (1, True)])
async def test_the_only_call_of_a_batch_and_one_that_is_written_wait_for_the_end(
    batches, others, fixes
):
    app = App(fixes=fixes)
    tasks = await submitted(batches, app, call(SHORT_MS), *(call() for _ in range(others)))
    await asyncio.sleep(3 * SHORT_MS / 1000)
    app.gate.set()
    assert await replies(*tasks) == [1] * (1 + others)


async def test_a_caller_who_is_cancelled_takes_out_only_their_own_call(batches):
    app, calls = App(), [call() for _ in range(3)]
    tasks = await submitted(batches, app, calls[0])
    tasks += await submitted(batches, app, *calls[1:])
    tasks[1].cancel()
    app.gate.set()
    assert await replies(*tasks) == [1, asyncio.CancelledError, 2]
    assert app.batches == [(calls[0],), (calls[2],)]


async def test_a_batch_has_the_time_of_the_call_that_has_most_left(batches):
    app = App()
    tasks = await submitted(batches, app, call(1_000), call(LONG_MS))
    assert app.batch is not None
    budget = LongestBudget(SystemClock(), app.batch)
    assert LONG_MS - 10_000 < budget.left_ms() <= LONG_MS
    tasks[1].cancel()
    await asyncio.wait({tasks[1]})
    assert 0 < budget.left_ms() <= 1_000
    app.gate.set()
    await replies(*tasks)
    assert budget.left_ms() == 0
