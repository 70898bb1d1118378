"""Batches: what is processed together, who gets which result, and what ends with a caller."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from mymozhem.concurrency.keyed_batcher import Batch, BatchQueue, KeyedBatcher
from mymozhem.errors import NotFound

USER: ContextVar[str | None] = ContextVar("user", default=None)


class Processor:
    """Gives each item the number of its batch; holds each batch until `go` is released."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.users: list[str | None] = []
        self.go = asyncio.Semaphore(0)

    async def __call__(self, items: Sequence[str]) -> dict[str, str | Exception]:
        self.batches.append(list(items))
        self.users.append(USER.get())
        number = len(self.batches)
        await self.go.acquire()
        if "fire" in items:
            raise ConnectionError
        return {
            item: NotFound() if item == "none" else f"{item} in batch {number}"
            for item in items
            if item != "forgotten"
        }

    def release(self, batches: int) -> None:
        for _ in range(batches):
            self.go.release()


async def submitted(queue: BatchQueue[str, str], *items: str) -> list["asyncio.Task[str]"]:
    tasks = [asyncio.create_task(queue.submit(item)) for item in items]
    await settle()
    return tasks


async def settle() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


@pytest.fixture
def processor() -> Processor:
    return Processor()


@pytest.fixture
def queue(processor: Processor) -> BatchQueue[str, str]:
    return BatchQueue(processor, max_size=3)


async def test_what_comes_while_a_batch_is_processed_is_in_the_next_one(processor, queue):
    first = await submitted(queue, "a", "b", "a")
    later = await submitted(queue, "a", "c")
    processor.release(2)
    assert await asyncio.gather(*first) == ["a in batch 1", "b in batch 1", "a in batch 1"]
    assert await asyncio.gather(*later) == ["a in batch 2", "c in batch 2"]
    assert processor.batches == [["a", "b"], ["a", "c"]]


async def test_a_batch_has_a_maximum_size_and_the_order_of_arrival(processor, queue):
    tasks = await submitted(queue, *"gfedcba")
    processor.release(3)
    await asyncio.gather(*tasks)
    assert processor.batches == [["g", "f", "e"], ["d", "c", "b"], ["a"]]


async def test_an_exception_is_raised_only_to_the_callers_of_its_item(processor, queue):
    good, bad = await submitted(queue, "a", "none")
    processor.release(1)
    assert await good == "a in batch 1"
    with pytest.raises(NotFound):
        await bad


async def test_a_batch_that_fails_fails_for_all_and_the_next_one_works(processor, queue):
    tasks = await submitted(queue, "a", "fire")
    processor.release(2)
    for task in tasks:
        with pytest.raises(ConnectionError):
            await task
    (again,) = await submitted(queue, "a")
    assert await again == "a in batch 2"


async def test_an_item_without_a_result_raises_instead_of_waiting_for_ever(processor, queue):
    good, bad = await submitted(queue, "a", "forgotten")
    processor.release(1)
    assert await good == "a in batch 1"
    with pytest.raises(RuntimeError, match="without a result"):
        await bad


@pytest.mark.parametrize("item", ["a", "fire"])
async def test_an_item_is_processed_even_if_its_caller_is_cancelled(processor, queue, item):
    gone, stays = await submitted(queue, item, "b")
    gone.cancel()
    await settle()
    processor.release(1)
    await asyncio.wait({stays})
    assert processor.batches == [[item, "b"]]


async def test_a_caller_who_is_cancelled_does_not_end_it_for_others_of_the_same_item(
    processor, queue
):
    gone, stays = await submitted(queue, "a", "a")
    gone.cancel()
    processor.release(1)
    assert await stays == "a in batch 1"


async def test_a_result_that_is_cancelled_while_it_waits_takes_its_item_out(processor, queue):
    first = await submitted(queue, "a")
    gone, stays = queue.put("b"), queue.put("c")
    gone.cancel()
    again = queue.put("b")
    queue.put("d").cancel()
    processor.release(2)
    assert [await first[0], await stays, await again] == [
        "a in batch 1", "c in batch 2", "b in batch 2",
    ]  # fmt: skip
    assert processor.batches == [["a"], ["b", "c"]]


async def test_nothing_is_processed_if_all_results_are_cancelled(processor, queue):
    queue.put("a").cancel()
    await settle()
    assert processor.batches == []


async def test_a_batch_inherits_no_context_of_a_caller(processor, queue):
    USER.set("somebody")
    tasks = await submitted(queue, "a")
    processor.release(1)
    await asyncio.gather(*tasks)
    assert processor.users == [None]


async def test_a_batch_may_take_along_what_has_arrived_since_and_settle_single_items():
    begun, go, seen = asyncio.Event(), asyncio.Event(), []

    async def process(batch: Batch[str, str]) -> dict[str, str]:
        begun.set()
        await go.wait()
        seen.append(batch.pending())
        taken = batch.take_waiting()
        batch.settle("b", "early")
        assert [batch.is_pending(item) for item in "abcd"] == [True, False, True, False]
        assert (len(batch), batch[0], batch[1:]) == (2, "a", ("c",))
        return dict.fromkeys(taken, "late")

    queue = BatchQueue(process, max_size=3)
    tasks = await submitted(queue, "a")
    await begun.wait()
    gone = queue.put("x")
    tasks += await submitted(queue, "b", "c", "d")
    gone.cancel()
    last = tasks.pop()
    go.set()
    assert await asyncio.gather(*tasks) == ["late", "early", "late"]
    last.cancel()
    assert seen[0] == ["a", "b", "c", "d"]


async def test_a_batch_keeps_an_item_while_an_equal_one_waits_for_the_next():
    begun, go, sizes = asyncio.Event(), asyncio.Event(), []

    async def process(batch: Batch[str, int]) -> dict[str, int]:
        begun.set()
        await go.wait()
        sizes.append(len(batch.take_waiting()))
        return dict.fromkeys(batch, len(sizes))

    queue = BatchQueue(process, max_size=3)
    first = queue.put("a")
    await begun.wait()
    second = queue.put("a")
    go.set()
    assert [await first, await second] == [1, 2]
    assert sizes == [1, 1]


async def test_keys_do_not_wait_for_each_other_and_are_forgotten_when_nothing_waits(processor):
    batcher: KeyedBatcher[str, str, str] = KeyedBatcher(max_size=3)
    tasks = [
        asyncio.create_task(batcher.submit(key, item, processor))
        for key, item in (("one", "a"), ("other", "a"), ("one", "b"))
    ]
    await settle()
    assert processor.batches == [["a", "b"], ["a"]]
    assert len(batcher) == 2
    assert batcher.batch("third") is None
    processor.release(2)
    assert sorted(await asyncio.gather(*tasks)) == ["a in batch 1", "a in batch 2", "b in batch 1"]
    await settle()
    assert len(batcher) == 0


async def test_a_flush_waits_for_what_is_there_now_and_not_for_longer_than_it_may(processor):
    batcher: KeyedBatcher[str, str, str] = KeyedBatcher(max_size=1)
    await batcher.flush("one", within=20)
    futures = [batcher.put("one", "a", processor), batcher.put("one", "b", processor)]
    await settle()
    await batcher.flush("one", within=0.001)
    assert not any(each.done() for each in futures)
    flush = asyncio.create_task(batcher.flush("one", within=20))
    await settle()
    futures.append(batcher.put("one", "c", processor))
    processor.release(2)
    await flush
    assert [each.done() for each in futures] == [True, True, False]
    processor.release(1)
    await futures[2]


async def test_callers_are_cancelled_if_the_processing_is(processor):
    def waiting() -> set["asyncio.Task[object]"]:
        return {task for task in asyncio.all_tasks() if task.get_name() == "batches"}

    batcher: KeyedBatcher[str, str, str] = KeyedBatcher(max_size=1)
    futures = [batcher.put("one", item, processor) for item in "ab"]
    await settle()
    for task in waiting():
        task.cancel()
    await asyncio.wait(futures)
    assert all(each.cancelled() for each in futures)
    assert len(batcher) == 0


async def test_closing_cancels_what_is_processed_and_what_waits(processor):
    batcher: KeyedBatcher[str, str, str] = KeyedBatcher(max_size=1)
    futures = [batcher.put(key, item, processor) for key in ("one", "other") for item in "ab"]
    await settle()
    await batcher.close()
    assert all(each.cancelled() for each in futures)
    assert len(batcher) == 0
    await batcher.close()  # idempotent
