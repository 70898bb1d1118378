"""Notice that the event loop is blocked while it still is, and name the app that blocks it.

A coroutine that never awaits stops everything that runs on the event loop, the answers of
`/health/live` included. So a thread asks the loop for a sign twice a second. If there is none, it
logs the app whose code the loop runs, with the end of its stack. If the operator has configured it,
the process ends after a while, and a supervisor starts it again.
"""

import asyncio
import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType

import structlog

from mymozhem.concurrency.app_ownership import owner_of_frame
from mymozhem.config import Settings
from mymozhem.dispatch import blocked_app

#: seconds between two signs of the event loop
EVERY = 0.5
#: seconds without a sign before the first log line; each further line waits twice as long
REPORT_AFTER = 2.0
#: calls of the stack in the log: the innermost ones
STACK_DEPTH = 20
#: seconds that code which holds the interpreter lock has more than other code
LOCK_SECONDS = 5.0
#: a log line may take so long; its handler could be locked by the thread that hangs
LOG_SECONDS = 1.0
#: the exit status of a process that ended because its event loop was blocked
STATUS = 70

logger = structlog.stdlib.get_logger(__name__)


class LoopWatchdog:
    """Watches an event loop from a thread of its own.

    `end` ends the process; tests replace it.
    """

    def __init__(self, settings: Settings, *, end: Callable[[int], object] = os._exit) -> None:
        self._data_dir = settings.data_dir
        self._end_after = settings.end_if_blocked_seconds
        self._end = end
        self._stopped = threading.Event()
        self._sign = threading.Event()

    def start(self) -> None:
        """Watch the running event loop from now on; call it in the loop's thread."""
        loop, thread = asyncio.get_running_loop(), threading.get_ident()
        watching = threading.Thread(
            target=self._watch, args=(loop, thread), name="loop-watchdog", daemon=True
        )
        watching.start()

    def stop(self) -> None:
        """Stop watching: the process ends, which has a time limit of its own. Idempotent."""
        if not self._stopped.is_set():
            self._stopped.set()
            if self._end_after:
                faulthandler.cancel_dump_traceback_later()

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while not self._stopped.wait(EVERY):
            if self._end_after:
                # This thread cannot run while C code holds the interpreter lock; that one can.
                faulthandler.dump_traceback_later(self._end_after + LOCK_SECONDS, exit=True)
            self._sign.clear()
            try:
                loop.call_soon_threadsafe(self._sign.set)
            except RuntimeError:  # the loop is closed
                return
            self._await_sign(thread)

    def _await_sign(self, thread: int) -> None:
        """Wait for the sign, and report that there is none; time without this thread is no time.

        After a suspension, the loop first gets the chance to give its sign.
        """
        waited, report_after = 0.0, REPORT_AFTER
        while not self._stopped.is_set():
            began = time.monotonic()
            if self._sign.wait(EVERY):
                if waited >= REPORT_AFTER:
                    logger.warning("the event loop runs again", blocked_seconds=round(waited, 1))
                return
            waited += min(time.monotonic() - began, EVERY)
            if self._end_after and waited >= self._end_after:
                self._give_up(thread, waited)
                return
            if waited >= report_after:
                report_after *= 2
                _report(thread, waited, ends=False)

    def _give_up(self, thread: int, waited: float) -> None:
        saying = threading.Thread(target=self._say, args=(thread, waited), daemon=True)
        saying.start()
        saying.join(LOG_SECONDS)
        self._end(STATUS)

    def _say(self, thread: int, waited: float) -> None:
        app_id = owner_of_frame(_stack(thread))
        if app_id is not None:
            try:
                blocked_app.write(self._data_dir, app_id)
            except OSError as error:
                logger.warning("the next start will not know the app", error=repr(error))
        _report(thread, waited, ends=True)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()


def _report(thread: int, waited: float, *, ends: bool) -> None:
    frame = _stack(thread)
    app_id = owner_of_frame(frame)
    who = "an app blocks" if app_id is not None else "something blocks"
    logger.error(
        f"{who} the event loop; the process ends" if ends else f"{who} the event loop",
        app=app_id,
        blocked_seconds=round(waited, 1),
        stack="".join(traceback.format_stack(frame, limit=STACK_DEPTH)),
    )


def _stack(thread: int) -> FrameType | None:
    return sys._current_frames().get(thread)  # noqa: SLF001  documented
