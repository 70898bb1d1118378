"""Notice apps whose coroutines block the event loop, and give the time back to the others.

While a coroutine computes or waits without `await`, nothing else of the host runs. The time of each
step of an app's coroutine is measured. After a long step, the app is reported by name, and the
deadlines of calls to other apps move by its length, so that nobody else is blamed for it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import structlog

from mymozhem.observability.call_observer import AppReport

from .transports.base import HookCall

#: seconds that a step of a coroutine may take
LONGEST_STEP = 0.25

CODE = "APP_BLOCKED_HOST"

logger = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")


class LoopBlocks:
    """Knows the calls that wait, and how long each app has blocked; used from one event loop."""

    def __init__(self, report: Callable[[AppReport], None] | None = None) -> None:
        self._report = report
        self._waiting: dict[asyncio.Timeout, str] = {}
        self._blocked: Counter[str] = Counter()
        self._total_ms = 0

    def held_up_ms(self, app_id: str) -> int:
        """Return for how long other apps have blocked the loop since the start."""
        return self._total_ms - self._blocked[app_id]

    @contextmanager
    def waiting(self, app_id: str, deadline: asyncio.Timeout) -> Iterator[None]:
        """Let a deadline move while other apps block the loop."""
        self._waiting[deadline] = app_id
        try:
            yield
        finally:
            del self._waiting[deadline]

    def measured(self, call: HookCall, work: Awaitable[T]) -> "Awaitable[T]":
        """Return work of an app whose steps are measured."""
        return _Measured(self, call, work)

    def ran(self, call: HookCall, seconds: float) -> None:
        """Note how long a step of an app's coroutine took."""
        if seconds < LONGEST_STEP:
            return
        app, milliseconds = call.app, round(seconds * 1000)
        self._blocked[app.app_id] += milliseconds
        self._total_ms += milliseconds
        for deadline, waits in self._waiting.items():
            ends = deadline.when()
            if waits != app.app_id and ends is not None and not deadline.expired():
                deadline.reschedule(ends + seconds)
        logger.warning(
            "an app blocked the event loop; all rooms had to wait for it",
            app=app.app_id,
            version=app.version,
            hook=call.hook.name,
            call_id=call.context.call_id,
            blocked_ms=milliseconds,
        )
        if self._report is not None:
            self._report(AppReport(app.app_id, app.version, call.hook.capability, CODE))


class _Measured(Generic[T]):
    """Awaits something step by step, as `await` does."""

    def __init__(self, blocks: LoopBlocks, call: HookCall, work: Awaitable[T]) -> None:
        self._blocks = blocks
        self._call = call
        self._work = work

    def __await__(self) -> Generator[Any, Any, T]:
        steps: Any = self._work.__await__()
        step, given = steps.send, None
        while True:
            began = time.monotonic()
            try:
                awaited = step(given)
            except StopIteration as done:
                result: T = done.value
                return result
            finally:
                self._blocks.ran(self._call, time.monotonic() - began)
            try:
                step, given = steps.send, (yield awaited)
            except BaseException as error:  # noqa: BLE001  the app's code handles its cancellation
                step, given = steps.throw, error
