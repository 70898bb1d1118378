"""A process that forks for each start: the forks end when they have to, in every case."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mymozhem.devtools.fork_server import ForkServer
from tests.support.timing import HANG_TIMEOUT

#: writes a line for each fork, then does what the first argument says
PROGRAM = """
import os, signal, sys
from mymozhem.devtools.fork_server import wait_for_fork
_, what, file, reports = sys.argv
if wait_for_fork(int(reports), patience=0.1):
    if what == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(file, "a") as written:
        written.write(f"{os.getpid()}\\n")
    typed = os.read(0, 1)
    while what == "hang":
        signal.pause()
    with open(file, "a") as written:
        written.write(f"read {typed}\\n")
    sys.exit(0)
"""


@asynccontextmanager
async def server(file: Path, what: str) -> AsyncIterator[ForkServer]:
    command = (sys.executable, "-c", PROGRAM, what, str(file))
    forks = await ForkServer.spawn(command, variables=os.environ, pass_fds=())
    try:
        async with asyncio.timeout(HANG_TIMEOUT):
            yield forks
    finally:
        await forks.close()


async def written(file: Path, lines: int) -> list[str]:
    """Wait until so many lines are in a file, and return them."""
    while len(found := lines_of(file)) < lines:  # noqa: ASYNC110  it is another process
        await asyncio.sleep(0.01)
    return found


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []


def is_gone(pid: str) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def test_each_fork_is_a_process_of_its_own_that_is_told_what_is_typed(tmp_path):
    file = tmp_path / "written"
    async with server(file, "read") as forks:
        forks.fork()
        await written(file, 1)
        forks.tell(b"x")
        await forks.wait()
        forks.fork()
        await written(file, 3)
        forks.tell(b"y")
        await forks.wait()
    first, read_first, second, read_second = lines_of(file)
    assert first != second
    assert (read_first, read_second) == ("read b'x'", "read b'y'")


@pytest.mark.parametrize("what", ["read", "hang"])
async def test_a_fork_ends_if_it_has_to_even_one_that_ignores_the_signal(tmp_path, what):
    file = tmp_path / "written"
    async with server(file, what) as forks:
        forks.fork()
        (pid,) = await written(file, 1)
        await forks.end()
        assert is_gone(pid)
        assert forks.is_alive


@pytest.mark.parametrize("what", ["read", "hang"])
async def test_a_fork_ends_with_the_process(tmp_path, what):
    file = tmp_path / "written"
    async with server(file, what) as forks:
        forks.fork()
        (pid, *_) = await written(file, 1)
    assert is_gone(pid)


async def test_a_process_that_is_not_ready_ends_at_once(tmp_path):
    async with server(tmp_path / "written", "read") as forks:
        forks.fork()
        await forks.end()
        assert not forks.is_alive
