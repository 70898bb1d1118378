"""Process items in batches: what arrives while a batch is processed waits for the next one.

A `BatchQueue` has one queue and one function that processes its batches. A `KeyedBatcher` keeps a
queue for each key, for example for each room, as long as something waits in it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from contextvars import Context
from functools import partial
from typing import Generic, TypeVar, overload

K = TypeVar("K", bound=Hashable)
T = TypeVar("T", bound=Hashable)
R = TypeVar("R")


class Batch(Sequence[T], Generic[T, R]):
    """The items that are processed together, in the order of arrival.

    The function that processes a batch may settle an item before the others, and take along items
    that have arrived since.
    """

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._taken: dict[T, asyncio.Future[R]] = {}
        self._waiting: dict[T, asyncio.Future[R]] = {}

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return tuple(self._taken)[index]

    def __len__(self) -> int:
        return len(self._taken)

    def __iter__(self) -> Iterator[T]:
        return iter(self._taken)

    def take_waiting(self) -> tuple[T, ...]:
        """Take along what has arrived since, up to the maximum size; return all items.

        Items whose callers are gone are left out.
        """
        self._taken = {item: each for item, each in self._taken.items() if not each.done()}
        for item, future in list(self._waiting.items()):
            if len(self._taken) >= self._max_size:
                break
            if item in self._taken:
                continue  # an equal item that came later gets a later answer
            del self._waiting[item]
            if not future.done():
                self._taken[item] = future
        return tuple(self._taken)

    def is_pending(self, item: T) -> bool:
        """Return whether an item of the batch has no result yet and a caller waits for one."""
        future = self._taken.get(item)
        return future is not None and not future.done()

    def pending(self) -> list[T]:
        """Return the items without a result: those of the batch, and those that wait behind it."""
        both = (*self._taken.items(), *self._waiting.items())
        return [item for item, future in both if not future.done()]

    def settle(self, item: T, result: R | Exception) -> None:
        """Give an item its result now, and take it out of the batch."""
        _settle(self._taken.pop(item), result)

    def settle_all(self, results: Mapping[T, R | Exception]) -> None:
        """Give all items of the batch their results."""
        taken, self._taken = self._taken, {}
        for item, future in taken.items():
            if item in results:
                _settle(future, results[item])
            else:
                _settle(future, RuntimeError("a batch was processed without a result for an item"))

    def put(self, item: T) -> asyncio.Future[R]:
        """Add an item to those that wait; an equal one that waits already shares its result."""
        future = self._waiting.get(item)
        if future is None or future.done():
            future = self._waiting[item] = asyncio.get_running_loop().create_future()
        return future

    def futures(self) -> tuple[asyncio.Future[R], ...]:
        """Return the results to come: those of the batch, and those of what waits behind it."""
        return (*self._taken.values(), *self._waiting.values())


#: processes a batch and returns a result or an exception for each item; may ask for a `Sequence`
Process = Callable[[Batch[T, R]], Awaitable[Mapping[T, R | Exception]]]


class BatchQueue(Generic[T, R]):
    """Processes items in batches, one batch at a time; used from one event loop.

    A batch is taken after all of its items arrived, so what it reads is never older than they are.
    Equal items that wait together share one result. An exception among the results is raised to
    the callers of that item, one that `process` raises to all callers of the batch. Batches are
    processed in a task of their own with an empty context: they belong to no single caller.
    `on_idle` is called when the queue is empty.
    """

    def __init__(
        self,
        process: Process[T, R],
        *,
        max_size: int,
        on_idle: Callable[[], object] | None = None,
    ) -> None:
        self.batch: Batch[T, R] = Batch(max_size)
        self._process = process
        self._on_idle = on_idle
        self._task: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Wait for the item's batch and return its result.

        The item is processed even if this caller is cancelled meanwhile.
        """
        return await asyncio.shield(self.put(item))

    def put(self, item: T) -> asyncio.Future[R]:
        """Add an item and return its result to come.

        To cancel the result removes the item from the queue, or from the batch, as long as that has
        not been processed; do so only if no equal item can share it.
        """
        future = self.batch.put(item)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="batches", context=Context())
        return future

    async def close(self) -> None:
        """Cancel what is processed, and all that waits; callers are cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            while self.batch.take_waiting():
                await self._process_batch()
        finally:
            self._task = None
            for future in self.batch.futures():  # only if this task was cancelled
                future.cancel()
            if self._on_idle is not None:
                self._on_idle()

    async def _process_batch(self) -> None:
        try:
            results = await self._process(self.batch)
        except Exception as error:  # noqa: BLE001  raised to the callers
            results = dict.fromkeys(self.batch, error)
        self.batch.settle_all(results)


class KeyedBatcher(Generic[K, T, R]):
    """A `BatchQueue` for each key; an empty queue is dropped."""

    def __init__(self, *, max_size: int) -> None:
        self._max_size = max_size
        self._queues: dict[K, BatchQueue[T, R]] = {}

    async def submit(self, key: K, item: T, process: Process[T, R]) -> R:
        """Wait for the item's batch and return its result; see `BatchQueue.submit`.

        All items of a queue are processed by the function that came with its first item, so give
        functions that do the same for the same key.
        """
        return await asyncio.shield(self.put(key, item, process))

    def put(self, key: K, item: T, process: Process[T, R]) -> asyncio.Future[R]:
        """Add an item and return its result to come; see `BatchQueue.put`."""
        queue = self._queues.get(key)
        if queue is None:
            forget = partial(self._queues.pop, key)
            queue = BatchQueue(process, max_size=self._max_size, on_idle=forget)
            self._queues[key] = queue
        return queue.put(item)

    def batch(self, key: K) -> Batch[T, R] | None:
        """Return the batch of a key, or None if nothing waits or is processed there."""
        queue = self._queues.get(key)
        return None if queue is None else queue.batch

    async def flush(self, key: K, *, within: float) -> None:
        """Wait until all that is there now is processed, for `within` seconds at most."""
        batch = self.batch(key)
        futures = () if batch is None else batch.futures()
        pending = [each for each in futures if not each.done()]
        if pending:
            await asyncio.wait(pending, timeout=within)

    async def close(self) -> None:
        """Cancel everything of all keys; see `BatchQueue.close`."""
        await asyncio.gather(*(queue.close() for queue in list(self._queues.values())))

    def __len__(self) -> int:
        """Return how many keys have something that waits or is processed."""
        return len(self._queues)


def _settle(future: asyncio.Future[R], result: R | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
        future.exception()  # marked as retrieved: the caller may be gone
    else:
        future.set_result(result)
