"""Daemon threads for plain functions: bounded, and never waited for at the end of the process."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooManyThreads(Exception):
    """As many functions run as may; most of them may be blocked."""


class Threads:
    """Runs blocking functions, each in a thread of its own; used from one event loop.

    (concurrent.futures waits for its threads at exit, also for those that never return.)
    """

    def __init__(self, limit: int) -> None:
        self._left = limit

    async def run(self, work: Callable[[], T]) -> T:
        """Return what the function returns, raise what it raises; `TooManyThreads` at once.

        A cancelled caller leaves the thread behind; it counts until the function returns.
        """
        if self._left <= 0:
            raise TooManyThreads
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Callable[[], T]] = loop.create_future()
        self._left -= 1

        def settle(outcome: Callable[[], T]) -> None:
            self._left += 1
            if not done.done():
                done.set_result(outcome)

        def body() -> None:
            outcome = _outcome(work)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

        try:
            threading.Thread(target=body, name="app", daemon=True).start()
        except RuntimeError as error:  # the machine has no more threads to give
            self._left += 1
            raise TooManyThreads from error
        return (await done)()


def _outcome(work: Callable[[], T]) -> Callable[[], T]:
    """Call a function; return what gives its value, or raises what it raised, whatever that is.

    (A future would not take a StopIteration.)
    """
    try:
        value = work()
    except BaseException as error:  # noqa: BLE001  an app may raise anything
        raised = error

        def again() -> T:
            raise raised

        return again
    return lambda: value
