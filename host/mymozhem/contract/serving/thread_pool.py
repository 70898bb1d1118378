"""Daemon threads for plain functions: a limited number, and process exit does not wait for them."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooManyThreads(Exception):
    """The maximum number of functions is running; most of them may be blocked."""


class Threads:
    """Runs blocking functions, each in a thread of its own; used from one event loop.

    (concurrent.futures waits for its threads at exit, even for those that never return.)
    """

    def __init__(self, limit: int) -> None:
        self._left = limit

    async def run(self, work: Callable[[], T]) -> T:
        """Return what the function returns, or raise what it raises; never wait for a free thread.

        Raises `TooManyThreads` if the maximum number is running. If the caller is cancelled, the
        thread continues; it counts until the function returns.
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
            with contextlib.suppress(
                RuntimeError
            ):  # the event loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

        try:
            threading.Thread(target=body, name="app", daemon=True).start()
        except RuntimeError as error:  # the machine has no more threads to give
            self._left += 1
            raise TooManyThreads from error
        return (await done)()


def _outcome(work: Callable[[], T]) -> Callable[[], T]:
    """Call a function; return a callable that returns its value or raises its exception.

    (A future does not accept a StopIteration.)
    """
    try:
        value = work()
    except BaseException as error:  # noqa: BLE001  an app may raise anything
        raised = error

        def again() -> T:
            raise raised

        return again
    return lambda: value
