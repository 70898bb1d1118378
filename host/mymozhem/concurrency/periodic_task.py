"""A background loop that repeats one step: the start, the waits, the errors and the stop."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context

import structlog

from mymozhem.errors import Unavailable

#: a step that returns this is repeated only once the task is woken
UNTIL_WOKEN = math.inf

#: seconds after which a task that lost a cancellation is cancelled again
_CANCEL_AGAIN = 0.2

logger = structlog.stdlib.get_logger(__name__)


class PeriodicTask:
    """Repeats a step in the background until it is stopped; used from one event loop.

    A step returns the seconds until the next one, or None for `every`. `wake` ends the wait early;
    if it comes during a step, the next step follows immediately. A step that fails is logged and
    repeated after `every` seconds. The task runs in an empty context: it inherits nothing from the
    request or the transaction in which it is started.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[float | None]],
        *,
        every: float,
        wait_first: bool = False,
        wake: asyncio.Event | None = None,
    ) -> None:
        """With `wait_first` the first step comes after `every` seconds, else at once.

        `wake` is an event that others set to wake the task; without it only `wake()` does.
        """
        self._name = name
        self._step = step
        self._every = every
        self._wait_first = wait_first
        self._wake = wake or asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._finishing = False

    @property
    def is_started(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._task is not None

    def start(self) -> None:
        """Start in the running event loop; idempotent."""
        if self._task is None:
            self._finishing = False
            self._task = asyncio.create_task(self._run(), name=self._name, context=Context())

    def wake(self) -> None:
        """Run the next step now, or right after the one that is running."""
        self._wake.set()

    async def stop(self) -> None:
        """Cancel the task and wait until it has ended; idempotent."""
        task, self._task = self._task, None
        # Once is not enough: code that uses `asyncio.wait_for` can lose a cancellation that comes
        # together with a result (https://github.com/python/cpython/issues/86296).
        while task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CANCEL_AGAIN)

    async def finish(self) -> None:
        """Let the running step end, and stop then; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            self._finishing = True
            self._wake.set()
            await asyncio.wait({task})

    async def _run(self) -> None:
        if self._wait_first:
            await self._sleep(self._every)
        while not self._finishing:
            self._wake.clear()
            wait = await self._run_step()
            if not self._finishing:
                await self._sleep(wait)

    async def _run_step(self) -> float:
        try:
            wait = await self._step()
        except Unavailable as error:
            logger.debug("a background step waits", task=self._name, code=error.code)
        except Exception:  # the next step may succeed, and nobody else would report the error
            logger.exception("a background step failed", task=self._name)
        else:
            return self._every if wait is None else wait
        return self._every

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == UNTIL_WOKEN else seconds):
                await self._wake.wait()
