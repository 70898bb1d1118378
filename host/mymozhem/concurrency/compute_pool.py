"""Heavy computations beside the event loop: in a thread, or, when large, in a child process.

The child is one process, started when it is first needed, replaced when it dies, and gone when the
host is, however that ends.
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

#: from this many entries or tickets on, a computation would be felt by the event loop
LARGE = 20_000

T = TypeVar("T")


class Workshop:
    """Runs pure functions; used from one event loop."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[[], T], *, size: int) -> T:
        """Run a function and return what it returns; `size` in entries or tickets.

        It must be picklable (a function of a module, or a partial of one); what it raises is
        raised. Unavailable when the child process died over it; the next call gets a new one.
        """
        if size < LARGE:
            return await asyncio.to_thread(work)
        pool = self._pool = self._pool or _start()
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except BrokenProcessPool as error:
            self._pool = None
            message = "The process that computes large draws ended; it is started anew."
            raise Unavailable(message, code="WORKSHOP_ENDED") from error

    def close(self) -> None:
        """Let the child process go without waiting for it; safe when there is none."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _start() -> ProcessPoolExecutor:
    # Not forked: a copy of this process would hold its sockets and its database.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Watch the parent from a thread: a pool's worker would outlive a host that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = partial(_exit_after, parent.sentinel)
        threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
