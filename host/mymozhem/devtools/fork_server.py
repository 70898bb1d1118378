"""A process that has imported the host and forks itself for each start of an app.

Importing the host takes much longer than everything else that a start does. The module has the
process's own side (`wait_for_fork`) and the side of its parent (`ForkServer`), which imports
nothing of the host.
"""

import asyncio
import gc
import os
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from select import select
from types import FrameType

_STDIN = 0
_CHUNK = 1024
#: what the parent writes: fork, end the fork, and any other byte for the fork itself
_FORK, _END = b"g", b"e"
#: what is written to the parent: there is a fork, and the fork has ended
_BEGUN, _ENDED = b"+", b"-"


class ForkServer:
    """The process, seen from its parent: one fork at a time, in an event loop.

    The process ends with its parent, and the fork with the process, also if they are killed.
    """

    def __init__(self, process: Process, reports: int) -> None:
        self._process = process
        self._reports = reports
        self._begun = False
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(reports, self._read)

    @classmethod
    async def spawn(
        cls,
        command: Sequence[str],
        *,
        variables: Mapping[str, str],
        pass_fds: Sequence[int],
    ) -> "ForkServer":
        """Start a process that calls `wait_for_fork` with the last word of its command line."""
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(writing),
                env=variables,
                stdin=PIPE,  # the process ends if this one ends, even by a kill
                start_new_session=True,  # only this process gets Ctrl+C
                pass_fds=(*pass_fds, writing),
            )
        finally:
            os.close(writing)
        return cls(process, reading)

    @property
    def is_alive(self) -> bool:
        """Return whether it can fork."""
        return self._reports >= 0

    def fork(self) -> None:
        """Fork; the previous fork has ended."""
        self._begun = False
        self._ended.clear()
        self.tell(_FORK)

    def tell(self, typed: bytes) -> None:
        """Write to the standard input of the fork."""
        if self._process.stdin is not None:
            self._process.stdin.write(typed)

    async def wait(self) -> None:
        """Wait until the fork has ended, or the process itself."""
        await self._ended.wait()

    async def end(self) -> None:
        """End the fork, and wait for that; a process that still imports ends with it."""
        if not self._begun:
            with suppress(ProcessLookupError):
                self._process.terminate()  # ignored once it can fork
        self.tell(_END)
        await self.wait()

    async def close(self) -> None:
        """End the process and its fork, and wait for that."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        self._close_reports()

    def _read(self) -> None:
        read = os.read(self._reports, _CHUNK)
        if not read:
            self._close_reports()
        self._begun = self._begun or _BEGUN in read
        if not read or _ENDED in read:
            self._ended.set()

    def _close_reports(self) -> None:
        if self._reports >= 0:
            asyncio.get_running_loop().remove_reader(self._reports)
            os.close(self._reports)
            self._reports = -1


def wait_for_fork(reports: int, *, patience: float) -> bool:
    """Return True in each fork, and False in the process itself, once standard input is closed.

    It has to be called while the process has no other thread. `reports` is the descriptor that the
    parent reads. A fork gets SIGTERM if it has to end, and SIGKILL after `patience` seconds. Its
    own standard input is closed if the process ends.
    """
    gc.collect()
    gc.freeze()  # so that a fork shares the memory of what was imported
    children = _Children(reports, patience)
    while typed := children.wait():
        for each in typed:
            if bytes([each]) == _FORK:
                if children.fork():
                    return True
            elif bytes([each]) == _END:
                children.end()
            else:
                children.tell(bytes([each]))
    children.end()
    while children.pid:
        children.wait(reading=False)
    return False


class _Children:
    """The one fork, if there is any: `pid` is 0 without one."""

    def __init__(self, reports: int, patience: float) -> None:
        self.pid = 0
        self._reports = reports
        self._patience = patience
        self._input = -1
        self._killed_at = float("inf")
        self._signals, waking = os.pipe()
        os.set_blocking(waking, False)
        self._waking = waking
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, _wake)
        signal.set_wakeup_fd(waking)

    def wait(self, *, reading: bool = True) -> bytes:
        """Return what was typed, b"" at the end of the input; without `reading`, at any event."""
        while True:
            left = max(self._killed_at - time.monotonic(), 0)
            timeout = None if left == float("inf") else left
            watched = [self._signals, *([_STDIN] if reading else [])]
            ready, _, _ = select(watched, [], [], timeout)
            if self._signals in ready:
                os.read(self._signals, _CHUNK)
                self._reap()
            if self.pid and time.monotonic() >= self._killed_at:
                os.kill(self.pid, signal.SIGKILL)
                self._killed_at = float("inf")
            if not reading:
                return b""
            if _STDIN in ready:
                return os.read(_STDIN, _CHUNK)

    def fork(self) -> bool:
        """Fork, and return True in the fork."""
        theirs, ours = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(theirs)
            self._input = ours
            self._report(_BEGUN)
            return False
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(theirs, _STDIN)
        for each in (theirs, ours, self._signals, self._waking, self._reports):
            os.close(each)
        return True

    def tell(self, typed: bytes) -> None:
        """Write to the standard input of the fork, if there is one."""
        if self.pid:
            with suppress(BrokenPipeError):
                os.write(self._input, typed)

    def end(self) -> None:
        """Let the fork end; `wait` kills it if it does not."""
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            self._killed_at = time.monotonic() + self._patience

    def _reap(self) -> None:
        if self.pid and os.waitpid(self.pid, os.WNOHANG)[0]:
            os.close(self._input)
            self.pid, self._input, self._killed_at = 0, -1, float("inf")
            self._report(_ENDED)

    def _report(self, what: bytes) -> None:
        with suppress(BrokenPipeError):
            os.write(self._reports, what)


def _wake(number: int, frame: FrameType | None) -> None:
    """Handle SIGCHLD, so that Python writes to the descriptor that `wait` reads."""
