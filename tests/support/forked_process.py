"""Child processes of tests, each forked from a process that has imported the host already.

Importing the host costs more CPU time than most children need for their work. The children are
still processes of their own, which can be killed. Start a new interpreter instead if the test is
about what a process imports, or how an interpreter ends.
"""

import asyncio
import inspect
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from tests.support.timing import HANG_TIMEOUT

#: modules with programs of children, which the common parent imports once
PROGRAMS = [
    "tests.faults.breaker_child",
    "tests.faults.delivery_child",
    "tests.faults.host_child",
    "tests.faults.race",
    "tests.faults.upgrade_child",
    "tests.faults.window_child",
    "tests.faults.worker_host",
    "tests.integration.db.crash_child",
    "tests.integration.db.crash_writer",
]

#: starts processes as `multiprocessing` does; `Process` of this context can be used directly
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(PROGRAMS)


class ForkedProcess:
    """A child whose standard input and output are pipes; waiting for it has a time limit."""

    def __init__(self, program: Callable[..., Any], *arguments: object) -> None:
        self._input, self._output = CONTEXT.Pipe(duplex=False), CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(
            target=_run,
            args=(program, arguments, self._input[0], self._output[1]),
            daemon=True,  # it is killed if the tests end before it
        )
        self.stdout = asyncio.StreamReader()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, negative after a signal; None while the process runs."""
        return self._process.exitcode

    async def start(self) -> None:
        await asyncio.to_thread(self._process.start)
        self._input[0].close()
        self._output[1].close()
        self._read_from = self._output[0].fileno()
        os.set_blocking(self._read_from, False)
        asyncio.get_running_loop().add_reader(self._read_from, self._read)

    def write(self, text: str) -> None:
        os.write(self._input[1].fileno(), text.encode())

    def close_input(self) -> None:
        """End the standard input; idempotent."""
        if not self._input[1].closed:
            self._input[1].close()

    def send_signal(self, number: int) -> None:
        """Send a signal to a process that runs; do nothing to one that has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Return the exit status, after all that the process wrote can be read."""
        if self._process.exitcode is None:
            await self._ended()
        if not self._output[0].closed:
            self._read()
            self._stop_reading()
        self.close_input()
        assert self._process.exitcode is not None
        return self._process.exitcode

    async def _ended(self) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            async with asyncio.timeout(HANG_TIMEOUT):
                await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()

    def _read(self) -> None:
        """Take all that was written so far."""
        while True:
            try:
                chunk = os.read(self._read_from, 65_536)
            except BlockingIOError:
                return
            if not chunk:
                self._stop_reading()
                return
            self.stdout.feed_data(chunk)

    def _stop_reading(self) -> None:
        if not self._output[0].closed:
            asyncio.get_running_loop().remove_reader(self._read_from)
            self._output[0].close()
            self.stdout.feed_eof()


async def fork(program: Callable[..., Any], *arguments: object) -> ForkedProcess:
    """Start a child that runs a function, or a coroutine function, of a module's first level."""
    process = ForkedProcess(program, *arguments)
    await process.start()
    return process


def _run(
    program: Callable[..., Any],
    arguments: tuple[object, ...],
    reads: Connection,
    writes: Connection,
) -> None:
    for pipe, standard in ((reads, 0), (writes, 1)):
        os.dup2(pipe.fileno(), standard)
        pipe.close()
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open until the end
    if inspect.iscoroutinefunction(program):
        asyncio.run(program(*arguments))
    else:
        program(*arguments)
