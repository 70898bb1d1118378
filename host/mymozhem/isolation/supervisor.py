"""The supervisor: the process between a host and a worker; no code of the app runs in it.

It copies the worker's output into a log of bounded length. It ends the worker, and all processes
that the worker has started, when the host requests it, when the host is gone, or when the worker
has ended.
"""

import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from .protocol import ENDED, report

#: how long the worker may take to stop gracefully
GRACE_SECONDS = 1.0
#: how long all remaining processes may take to die
DEATH_SECONDS = 2.0

#: a log that is longer loses its older half
MAX_LOG_BYTES = 4 * 1024 * 1024
#: a worker that writes more in a second is blocked
LOG_BYTES_PER_SECOND = 2 * 1024 * 1024
_CHUNK = 64 * 1024
#: what a pipe may still contain after its last writer has closed it
_LAST_CHUNKS = 32
_STOPS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


class Supervisor:
    """Supervises one worker until its end; `life` becomes readable when the host is gone.

    `said` receives the worker's output, `log` is where it goes, and `host` where reports go.
    """

    def __init__(
        self, worker: int, *, life: int, said: int, log: int, host: int, folder: str
    ) -> None:
        self._worker = worker
        self._life = life
        self._output: int | None = said
        self._log = log
        self._host = host
        self._folder = folder
        self._woken, waker = os.pipe()
        for end in (self._woken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *_STOPS):
            signal.signal(number, _ignore_signal)

    def run(self) -> NoReturn:
        """Supervise the worker, and exit with its status."""
        self._note(f"worker {self._worker} has started")
        status = self._watched()
        if status is None:
            self._signal(signal.SIGTERM)
            status = self._awaited(GRACE_SECONDS)
        self._signal(signal.SIGKILL)
        status = self._reap(status)
        shutil.rmtree(self._folder, ignore_errors=True)  # no process writes into it any more
        self._copy_rest()
        how = _how(status)
        self._note(f"worker {self._worker} {how}")
        report(self._host, ENDED, how)
        sys.exit(0)

    def _watched(self) -> int | None:
        """Return how the worker ended on its own; None once somebody wants it to end."""
        while (status := _reaped(self._worker)) is None:
            ready = self._ready(self._life)
            if self._life in ready and not os.read(self._life, _CHUNK):
                return None
            if self._woken in ready and not _STOPS.isdisjoint(_signals(self._woken)):
                return None
        return status

    def _awaited(self, seconds: float) -> int | None:
        """Return how the worker ended; None if it has not, after that many seconds."""
        ends = time.monotonic() + seconds
        while (status := _reaped(self._worker)) is None and time.monotonic() < ends:
            if self._woken in self._ready(seconds=max(0, ends - time.monotonic())):
                _signals(self._woken)
        return status

    def _ready(self, *more: int, seconds: float | None = None) -> list[int]:
        """Wait for an event, and copy the output; return the other readable descriptors."""
        said = [self._output] if self._output is not None else []
        ready, _, _ = select.select([self._woken, *said, *more], [], [], seconds)
        if self._output in ready:
            self._copy()
        return ready

    def _copy_rest(self) -> None:
        for _ in range(_LAST_CHUNKS):
            if self._output is None or not select.select([self._output], [], [], 0)[0]:
                return
            self._copy()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._worker, number)

    def _reap(self, status: int | None) -> int | None:
        """Kill the processes that the worker left behind; return how the worker itself ended."""
        ends = time.monotonic() + DEATH_SECONDS
        while time.monotonic() < ends:
            for child in _children():
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            try:
                pid, found = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == self._worker:
                status = found
            if pid == 0:
                time.sleep(0.005)
        return status

    def _copy(self) -> None:
        if self._output is None:
            return
        chunk = os.read(self._output, _CHUNK)
        if not chunk:  # the worker, and all processes that it started, have closed it
            self._output = None
            return
        self._write(chunk)
        if len(chunk) == _CHUNK:
            time.sleep(_CHUNK / LOG_BYTES_PER_SECOND)

    def _note(self, sentence: str) -> None:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        self._write(f"{moment} {sentence}\n".encode())

    def _write(self, data: bytes) -> None:
        with suppress(OSError):  # a full disk must not end a worker
            os.write(self._log, data)
            size = os.fstat(self._log).st_size
            if size > MAX_LOG_BYTES:
                newer = os.pread(self._log, MAX_LOG_BYTES // 2, size - MAX_LOG_BYTES // 2)
                os.ftruncate(self._log, 0)
                os.write(self._log, newer[newer.find(b"\n") + 1 :])


def _ignore_signal(*_: object) -> None:
    """Do nothing: the number of the signal is in the pipe that wakes the supervisor."""


def _signals(pipe: int) -> frozenset[int]:
    with suppress(BlockingIOError):
        return frozenset(os.read(pipe, _CHUNK))
    return frozenset()


def _reaped(worker: int) -> int | None:
    """Return how the worker has ended, None while it has not; also reaps dead orphans."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == worker:
            return status
        if pid == 0:
            return None


def _children() -> list[int]:
    """Return the children of this process, with adopted ones; empty if the system has no list."""
    own = os.getpid()
    try:
        return [int(each) for each in Path(f"/proc/{own}/task/{own}/children").read_text().split()]
    except OSError:
        return []


def _how(status: int | None) -> str:
    if status is None:
        return "could not be ended"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with the status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by the signal {-code}"
