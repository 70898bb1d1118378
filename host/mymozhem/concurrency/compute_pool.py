"""Heavy computations off the event loop: in a thread or, if large, in a child process.

There is one child process. It starts with the first large computation, is replaced if it dies, and
exits when the host exits, even if the host is killed.
"""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from typing import TypeVar

from mymozhem.errors import Unavailable

#: from this many entries or tickets on, a computation would hold up the event loop
LARGE = 20_000

T = TypeVar("T")


class ComputePool:
    """Runs pure functions; used from one event loop."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[[], T], *, size: int) -> T:
        """Run a function and return its result; `size` is in entries or tickets.

        The function must be picklable: a function of a module, or a partial of one. Raises what
        the function raises, and Unavailable if the child process dies; the next call starts a new
        one.
        """
        if size < LARGE:
            return await asyncio.to_thread(work)
        pool = self._pool = self._pool or start_child()
        try:
            return await run_in_child(pool, work)
        except BrokenProcessPool as error:
            self._pool = None
            message = "The process that computes large draws ended; it is started again."
            raise Unavailable(message, code="COMPUTE_PROCESS_ENDED") from error

    def close(self) -> None:
        """Shut the child process down without waiting for it; idempotent."""
        if self._pool is not None:
            end_child(self._pool)
            self._pool = None


def start_child(prepare: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """Return a pool of one child process, which calls `prepare` first and ends with this one."""
    # Spawned, not forked: a fork would inherit this process's sockets and database connections.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(prepare,))


async def run_in_child(pool: ProcessPoolExecutor, work: Callable[[], T]) -> T:
    """Run a function in a pool of `start_child`; it runs on if this caller is cancelled.

    In Python 3.11, a pool whose child ends does not survive that one of its futures is cancelled.
    """
    future = asyncio.wrap_future(pool.submit(work))
    # The caller may be gone when it fails: asyncio logs exceptions that nobody has retrieved.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(future)


def end_child(pool: ProcessPoolExecutor) -> None:
    """End a pool of `start_child`, and what it is computing; the process could not end before."""
    # There is a public method for it from Python 3.14 on.
    for process in list((pool._processes or {}).values()):  # noqa: SLF001
        process.kill()
    pool.shutdown(wait=False)


def _begin(prepare: Callable[[], None] | None) -> None:
    _end_with_parent()
    if prepare is not None:
        prepare()


def _end_with_parent() -> None:
    """Watch the parent from a thread, because a pool's worker would outlive a killed host."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = partial(_exit_after, parent.sentinel)
        threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
