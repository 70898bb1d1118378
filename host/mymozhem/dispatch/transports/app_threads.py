"""Run one app's code inside the host: in daemon threads of its own, and in tasks.

Work that outlives its call is abandoned, not waited for: a thread cannot be stopped from outside,
and a coroutine may swallow its cancellation. Abandoned work is counted and bounded, so that an app
that blocks forever uses up only its own limit.
"""

import asyncio
import contextvars
import queue
import threading
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from mymozhem.dispatch.outcome import CallFailed, FailureKind

logger = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")

Late = Callable[[T], None]


class Runner(Generic[T]):
    """Runs one app's functions; used from one event loop, which owns all of its state.

    `limit` bounds its threads and, separately, its abandoned tasks; beyond it, calls raise
    `CallFailed` (OVERLOADED) immediately. `late` receives a value that no caller waits for any
    more. The work must return, never raise. (`concurrent.futures` waits at exit, so it does not
    fit.)
    """

    def __init__(self, name: str, *, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._idle: list[_Worker[T]] = []
        self._threads = 0
        self._abandoned: set[asyncio.Task[None]] = set()
        self._closed = False

    async def in_thread(self, work: Callable[[], T], late: Late[T]) -> T:
        """Run blocking work in a thread of the app; a cancelled caller abandons it."""
        worker = self._idle.pop() if self._idle else self._hire()
        reply: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        worker.jobs.put((contextvars.copy_context(), work, reply, late))
        return await reply

    async def in_task(self, work: Callable[[], Awaitable[T]], late: Late[T]) -> T:
        """Run a coroutine function in a task; a cancelled caller cancels it without waiting."""
        if len(self._abandoned) >= self._limit:
            raise self._overloaded()
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[T] = loop.create_future()
        task = loop.create_task(self._finish(work, reply, late))
        try:
            return await reply
        finally:
            if not task.done() and reply.cancelled():
                self._abandon(task)

    def close(self) -> None:
        """Stop idle threads and abandon blocked ones, which are daemons. Idempotent."""
        calls = self._threads - len(self._idle) + len(self._abandoned)
        if calls and not self._closed:
            message = "app still runs calls; the host ends without waiting for them"
            logger.warning(message, app=self._name, calls=calls)
        self._closed = True
        while self._idle:
            self._idle.pop().jobs.put(None)
        for task in self._abandoned:
            # A loop that ends waits for every registered task; this task ignores its cancellation.
            asyncio._unregister_task(task)  # noqa: SLF001  documented for custom tasks

    async def _finish(
        self, work: Callable[[], Awaitable[T]], reply: asyncio.Future[T], late: Late[T]
    ) -> None:
        _settle(reply, await work(), late)

    def _abandon(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)

    def _hire(self) -> "_Worker[T]":
        if self._threads >= self._limit:
            raise self._overloaded()
        worker = _Worker(f"app-{self._name}-{self._threads}", self._worked)
        try:
            worker.start()
        except RuntimeError as error:  # the machine has no more threads
            raise self._overloaded() from error
        self._threads += 1
        return worker

    def _worked(
        self, worker: "_Worker[T]", reply: asyncio.Future[T], value: T, late: Late[T]
    ) -> None:
        if self._closed:
            worker.jobs.put(None)
        else:
            self._idle.append(worker)
        _settle(reply, value, late)

    def _overloaded(self) -> CallFailed:
        message = f"{self._name} has too many calls that do not end."
        return CallFailed(FailureKind.OVERLOADED, message)


def _settle(reply: asyncio.Future[T], value: T, late: Late[T]) -> None:
    if reply.done():
        late(value)
    else:
        reply.set_result(value)


class _Worker(threading.Thread, Generic[T]):
    """A daemon thread that does one job at a time and reports each to the event loop."""

    def __init__(
        self, name: str, report: Callable[["_Worker[T]", asyncio.Future[T], T, Late[T]], None]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.jobs: queue.SimpleQueue[_Job[T] | None] = queue.SimpleQueue()
        self._report = report

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            context, work, reply, late = job
            value = context.run(work)
            try:
                reply.get_loop().call_soon_threadsafe(self._report, self, reply, value, late)
            except RuntimeError:  # the loop is closed: the host has stopped, so this thread ends
                return
            del job, context, work, reply, value, late  # an idle thread keeps no references


_Job = tuple[contextvars.Context, Callable[[], T], "asyncio.Future[T]", Late[T]]
