"""Costly computations for callers: few at a time, apart from those that draws and joins need.

Small ones run in one thread, large ones in one child process with low priority. `Places` bound how
many callers may wait for them.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from mymozhem.errors import Busy, Unavailable

from .compute_pool import end_child, run_in_child, start_child

#: bytes from which on a computation over documents runs in the child process
LARGE = 16 * 1024
#: how much lower the priority of the child process is
NICENESS = 10
#: seconds that a refused caller should wait
RETRY_SECONDS = 5

T = TypeVar("T")


class Places:
    """How many callers may do something costly at a time, in total and each."""

    def __init__(self, *, most: int, per_caller: int) -> None:
        self._most = most
        self._per_caller = per_caller
        self._taken: Counter[str] = Counter()

    def take(self, caller: str) -> Callable[[], None]:
        """Take a place and return the function that releases it; `Busy` without one."""
        if self._taken.total() >= self._most or self._taken[caller] >= self._per_caller:
            raise Busy(details={"retryAfter": RETRY_SECONDS})
        self._taken[caller] += 1

        def release() -> None:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

        return release


class CostlyPool:
    """Runs pure functions; used from one event loop."""

    def __init__(self, *, with_process: bool = True) -> None:
        """Without a process, everything runs in the thread."""
        self._with_process = with_process
        self._thread: ThreadPoolExecutor | None = None
        self._process: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[[], T], *, size: int = 0) -> T:
        """Run a function and return its result; `size` is in bytes.

        A function for a large size must be picklable, and so must be its result. Raises what the
        function raises, and Unavailable if the child process dies; the next call starts a new one.
        """
        if size < LARGE or not self._with_process:
            thread = self._thread = self._thread or ThreadPoolExecutor(1, "costly")
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        process = self._process = self._process or start_child(_yield_to_others)
        try:
            return await run_in_child(process, work)
        except BrokenProcessPool as error:
            self._process = None
            message = "The process that computes for callers ended; it is started again."
            raise Unavailable(message, code="COSTLY_PROCESS_ENDED") from error

    def close(self) -> None:
        """Shut both down without waiting for them; idempotent."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
        if self._process is not None:
            end_child(self._process)
        self._thread = self._process = None


def _yield_to_others() -> None:
    os.nice(NICENESS)
