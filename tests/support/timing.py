"""Timeouts that do not depend on how busy the machine is.

`HANG_TIMEOUT` only ends a test that hangs. Do not measure with it, and wait for a condition instead
of sleeping.

Deadlines of the host are short in many tests. `LoadTolerantLoop` and `LoadTolerantClock` keep them
from expiring while the machine does other work.
"""

import asyncio
import inspect
import selectors
import time
from collections.abc import Callable

from mymozhem.clock import SystemClock

HANG_TIMEOUT = 300.0

#: the most seconds that the loop's clock advances in one iteration of the loop
STEP = 0.01


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that another task, thread or process makes true; it may be awaitable.

    Raises TimeoutError if it has not become true after `HANG_TIMEOUT`.
    """
    async with asyncio.timeout(HANG_TIMEOUT):
        while not await _holds(condition):  # noqa: ASYNC110  what it waits for sets no event
            await asyncio.sleep(STEP)


async def _holds(condition: Callable[[], object]) -> object:
    found = condition()
    return await found if inspect.isawaitable(found) else found


class LoadTolerantSelector(selectors.DefaultSelector):
    """A selector that waits in short steps and counts at most one step for each."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = self._read_at = time.monotonic()

    def select(self, timeout=None):
        """Wait for one step at most; the event loop calls again if nothing is ready."""
        ready = super().select(STEP if timeout is None else min(timeout, STEP))
        self._counted, self._read_at = self.now(), time.monotonic()
        return ready

    def now(self) -> float:
        """Return monotonic seconds, without those in which the process did not run."""
        return self._counted + min(time.monotonic() - self._read_at, STEP)


class LoadTolerantLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while the machine does other work.

    A deadline of 100 ms takes ten iterations of the loop. On an idle machine these take 100 ms. On
    a busy machine they take as long as the process needs to be scheduled ten times, so that the
    threads and processes that the deadline is for are scheduled as well.
    """

    def __init__(self) -> None:
        self._load_tolerant = LoadTolerantSelector()
        super().__init__(self._load_tolerant)

    def time(self) -> float:
        """Return the seconds of the loop's clock; it is never ahead of the machine's."""
        return self._load_tolerant.now()


class LoadTolerantClock(SystemClock):
    """The machine's clock, except that it measures spans by the running event loop."""

    def monotonic(self) -> float:
        """Return the seconds of the running loop; raises RuntimeError if none runs."""
        return asyncio.get_running_loop().time()
