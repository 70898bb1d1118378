"""A host in a process of its own and, where there are two cores, on a core of its own.

So it is when phones are somewhere else. Its program is a module that is run with the address and
folder of a database; it says one line of JSON once it serves, and `told` the rest.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog


@dataclass(frozen=True)
class Apart:
    """The other process; `said` is its line."""

    process: asyncio.subprocess.Process
    said: Any

    async def cpu(self) -> float:
        """Return the CPU seconds that it has used, in all of its threads."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        return float(await _line(self.process))


@asynccontextmanager
async def apart(module: str, url: str, folder: Path) -> AsyncIterator[Apart]:
    """Run a module as the host on the first core, and stay away from there."""
    cores = sorted(os.sched_getaffinity(0))
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", module, url, str(folder))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, limit=2**24, preexec_fn=lambda: _stay_on(cores[:1])
    )
    _stay_on(cores[-1:])
    try:
        yield Apart(process, json.loads(await _line(process)))
    finally:
        _stay_on(cores)
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def log_aside() -> None:
    """Have log lines written to standard error: standard output is for what is told."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


async def told(said: object) -> None:
    """Say the line, and then the CPU seconds whenever they are asked for, until nobody listens."""
    print(json.dumps(said), flush=True)  # noqa: T201  said to its parent
    while await asyncio.to_thread(sys.stdin.readline):
        print(time.process_time(), flush=True)  # noqa: T201  likewise


def _stay_on(cores: list[int]) -> None:
    os.sched_setaffinity(0, cores)


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode()
