"""The event loop's default executor, in which apps cannot use up the threads of the host.

`asyncio.to_thread` and `run_in_executor(None, …)` use it. Work of the host runs in a usual pool.
Work of an app runs in daemon threads of that app, so that a function that never returns takes a
place of its own app only, and nothing waits for it when the host ends.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog

from mymozhem.concurrency.app_ownership import running_app, running_as

#: threads of one app; further work of the app waits for one of them
MAX_THREADS = 32

logger = structlog.stdlib.get_logger(__name__)

_Job = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class AppExecutor(ThreadPoolExecutor):
    """Runs work of apps in daemon threads of each app, and other work as a usual pool does."""

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="host")
        self._apps: dict[str, _AppThreads] = {}

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> "Future[Any]":  # noqa: ANN401  the signature of an executor
        """Start work in a thread; see `Executor.submit`."""
        app_id = running_app()
        if app_id is None:
            return super().submit(function, *args, **named)
        if app_id not in self._apps:
            self._apps[app_id] = _AppThreads(app_id)
        return self._apps[app_id].submit(function, args, named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  the signature of an executor
        """Wait for work of the host; log which apps still run, and do not wait for them."""
        apps, self._apps = self._apps, {}
        for app_id, threads in apps.items():
            if calls := threads.close():
                logger.warning(
                    "app still runs work in threads; the host ends without waiting for it",
                    app=app_id,
                    calls=calls,
                )
        super().shutdown(wait=wait, cancel_futures=cancel_futures)


class _AppThreads:
    """Daemon threads of one app, at most `MAX_THREADS`."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._open = 0

    def submit(
        self, function: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]
    ) -> "Future[Any]":
        future: Future[Any] = Future()
        with self._lock:
            self._open += 1
            hire = self._threads < min(self._open, MAX_THREADS)
            self._threads += hire
        if hire:
            name = f"app-{self._app_id}-work-{self._threads}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        self._jobs.put((future, function, args, named))
        return future

    def close(self) -> int:
        """Let threads end once they are idle; return how many calls have not returned."""
        for _ in range(self._threads):
            self._jobs.put(None)
        return self._open

    def _work(self) -> None:
        with running_as(self._app_id):
            while (job := self._jobs.get()) is not None:
                _do(*job)
                with self._lock:
                    self._open -= 1
                del job  # an idle thread keeps no references


def _do(
    future: "Future[Any]",
    function: Callable[..., Any],
    args: tuple[Any, ...],
    named: dict[str, Any],
) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function(*args, **named)
    except BaseException as error:  # noqa: BLE001  it is the caller's, as in any executor
        with suppress(RuntimeError):  # the event loop of the caller is closed
            future.set_exception(error)
    else:
        with suppress(RuntimeError):
            future.set_result(result)
