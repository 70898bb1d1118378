"""The end of a process in which apps run: within a time limit, whatever they do.

An app can delay the end by a thread that is not a daemon, by an exit function that blocks, by a
task that ignores its cancellation, or by blocking the event loop. A process that was asked to end
does so after `END_SECONDS`; once the host has closed everything of its own, after
`LEFTOVER_SECONDS`. The log says which app was not waited for.
"""

import asyncio
import faulthandler
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

import structlog
from uvicorn import Config, Server

from mymozhem.concurrency.app_ownership import (
    owner_of_frame,
    owner_of_task,
    owner_of_thread,
    record_owners,
)

from .loop_watchdog import LoopWatchdog

#: how long the end may take in total, after the signal to stop
END_SECONDS = 15.0
#: how long what apps have left running is waited for, once the host has closed
LEFTOVER_SECONDS = 2.0

#: a log line may take so long; its handler could be locked by a thread that hangs
_LOG_SECONDS = 1.0

logger = structlog.stdlib.get_logger(__name__)


class ProcessEnd:
    """Ends this process by force if it does not end in time; create it in the main thread."""

    def __init__(self) -> None:
        record_owners()
        self._status = 1
        self._loop: asyncio.AbstractEventLoop | None = None
        # A signal handler may interrupt whatever holds a lock; a simple queue is reentrant.
        self._limits: queue.SimpleQueue[float] = queue.SimpleQueue()
        threading.Thread(target=self._watch, name="process-end", daemon=True).start()

    def begin(self) -> None:
        """Start the time limit; call it when a signal asks the process to stop. Idempotent."""
        self._limits.put(END_SECONDS)

    def closed(self, status: int = 0) -> None:
        """Shorten the time limit: the host has closed, and the exit status is `status`."""
        self._status = status
        if self._loop is None:
            self._loop = asyncio._get_running_loop()  # noqa: SLF001  None if there is none
        self._limits.put(LEFTOVER_SECONDS)

    def _watch(self) -> NoReturn:
        ends: float | None = None
        while True:
            left = None if ends is None else max(0.0, ends - time.monotonic())
            try:
                limit = self._limits.get(timeout=left)
            except queue.Empty:
                self._force()
            at = time.monotonic() + limit
            if ends is None or at < ends:
                ends = at
                # In case that not even this thread can run then.
                faulthandler.dump_traceback_later(limit + 2 * _LOG_SECONDS, exit=True)

    def _force(self) -> NoReturn:
        saying = threading.Thread(target=self._say, daemon=True)
        saying.start()
        saying.join(_LOG_SECONDS)
        os._exit(self._status)

    def _say(self) -> None:
        found: dict[tuple[str | None, str], None] = dict.fromkeys(delays(self._loop))
        for app_id, what in found or [(None, ", ".join(_threads()) or "something unknown")]:
            logger.warning(
                "the process ends without waiting any longer", app=app_id, waits_for=what
            )
        for stream in (sys.stdout, sys.stderr):
            stream.flush()


class HostServer(Server):
    """A server whose process ends within its time limit; a watchdog may watch its event loop."""

    def __init__(
        self, config: Config, end: ProcessEnd, watchdog: LoopWatchdog | None = None
    ) -> None:
        super().__init__(config)
        self._end = end
        self._watchdog = watchdog

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and then to watch the event loop."""
        await super().startup(sockets)
        if self._watchdog is not None:
            self._watchdog.start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start the time limit, and stop gracefully."""
        if self._watchdog is not None:
            self._watchdog.stop()
        self._end.begin()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop gracefully; only what apps have left can be running then."""
        await super().shutdown(sockets)
        self._end.closed()


def delays(loop: asyncio.AbstractEventLoop | None) -> Iterator[tuple[str, str]]:
    """Return the apps that keep this process from ending, and by what."""
    for name, thread in _threads().items():
        app_id = owner_of_thread(thread) or owner_of_frame(_stack(thread))
        if app_id is not None:
            yield app_id, f"thread {name}"
    app_id = owner_of_frame(_stack(threading.main_thread()))
    if app_id is not None:
        yield app_id, "code in the main thread"
    for task in asyncio.all_tasks(loop) if loop is not None and not loop.is_closed() else ():
        app_id = owner_of_task(task)
        if app_id is not None:
            yield app_id, "task that ignores its cancellation"


def _threads() -> dict[str, threading.Thread]:
    """Return the threads that Python waits for, by their names."""
    main = threading.main_thread()
    found = (each for each in threading.enumerate() if each is not main and not each.daemon)
    return {each.name: each for each in found}


def _stack(thread: threading.Thread) -> FrameType | None:
    return sys._current_frames().get(thread.ident or 0)  # noqa: SLF001  documented
