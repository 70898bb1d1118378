"""500 people join one room by its code, over HTTP on SQLite.

The host runs in a process and, where the machine has two cores, on a core of its own, as it does
when phones are somewhere else. Run as a program, this module is that host.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

from mymozhem.clock import SystemClock
from tests.support.api_host import make_api_host

from .apart import log_aside
from .figures import Figure, bound
from .hosts import fresh_database, served

JOINS = 500
#: how many come at a time: through a few doors one after the other, or all at the same moment
AT_A_TIME = (32, JOINS)
ROUNDS = 5
TARGET_SECONDS = 2.0


@dataclass(frozen=True, order=True)
class Run:
    """How long it took from the first knock to the last answer, and what the host computed."""

    span: float
    cpu: float


def measure() -> Iterable[Figure]:
    """Take the best of some rounds, each on a fresh database; the machine has other work too."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    _stay_on(cores[1:])
    for doors in AT_A_TIME:
        best = min(_round(doors, cores[:1]) for _ in range(ROUNDS))
        what = f"{JOINS} joins by code, {doors} at a time ({best.cpu:.1f} s of the host's CPU)"
        yield bound(what, TARGET_SECONDS, ours=best.span, unit="s")


def _stay_on(cores: Sequence[int]) -> None:
    if cores:
        os.sched_setaffinity(0, cores)


def _round(doors: int, cores: Sequence[int]) -> Run:
    with fresh_database("sqlite") as (url, folder):
        return uvloop.run(_joins(url, folder, doors, cores))


async def _joins(url: str, folder: Path, doors: int, cores: Sequence[int]) -> Run:
    connections = aiohttp.TCPConnector(limit=0)
    async with (
        _host(url, folder, cores) as host,
        aiohttp.ClientSession(connector=connections) as to,
    ):
        address, code = json.loads(await host.read())
        left = iter(range(JOINS))

        async def door() -> None:
            for number in left:
                body = {"code": code, "name": f"Guest {number}"}
                async with to.post(f"{address}/api/v1/auth/guest", json=body) as answer:
                    if answer.status != 201:
                        raise SystemExit(f"a join was answered with {answer.status}")
                    await answer.read()

        before = float(await host.ask())
        started = time.perf_counter()
        await asyncio.gather(*(door() for _ in range(doors)))
        return Run(time.perf_counter() - started, float(await host.ask()) - before)


@dataclass(frozen=True)
class _Host:
    """The other process: it says a line of its own, and then its CPU seconds when it is asked."""

    process: asyncio.subprocess.Process

    async def read(self) -> str:
        """Return its next line."""
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode()

    async def ask(self) -> str:
        """Return the CPU seconds that it has used."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        return await self.read()


@asynccontextmanager
async def _host(url: str, folder: Path, cores: Sequence[int]) -> AsyncIterator[_Host]:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", __name__, url, str(folder), *map(str, cores))
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        yield _Host(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def serve(url: str, folder: Path, cores: Sequence[int]) -> None:
    """Serve a room until nobody listens any more; tell its address and code, then CPU seconds."""
    _stay_on(cores)
    log_aside()
    async with make_api_host(url, SystemClock(), folder) as host:
        room = await host.start()
        await host.guest(room, "First")
        async with served(host.app) as address:
            print(json.dumps([address, room["code"]]), flush=True)  # noqa: T201  said to its parent
            while await asyncio.to_thread(sys.stdin.readline):
                print(time.process_time(), flush=True)  # noqa: T201  likewise


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], Path(sys.argv[2]), [int(each) for each in sys.argv[3:]]))
