"""500 people join one room by its code, 32 at a time, over HTTP on SQLite."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import aiohttp
import uvloop

from mymozhem.clock import SystemClock
from tests.api.house import make_house

from .figures import Figure, bound
from .hosts import fresh_database, served

JOINS = 500
DOORS = 32
TARGET_SECONDS = 2.0


def measure() -> Iterable[Figure]:
    """Measure from the first knock to the last answer; host and phones share this process."""
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    with fresh_database("sqlite") as (url, folder), runner:
        span, cpu = runner.run(_measure(url, folder))
    what = f"{JOINS} joins by code, {DOORS} at a time ({cpu:.1f} s of CPU with the clients')"
    yield bound(what, TARGET_SECONDS, ours=span, unit="s")


async def _measure(url: str, folder: Path) -> tuple[float, float]:
    async with make_house(url, SystemClock(), folder) as house:
        room = await house.start()
        await house.guest(room, "First")
        async with served(house.app) as address, aiohttp.ClientSession() as session:
            left = iter(range(JOINS))
            knock = f"{address}/api/v1/auth/guest"

            async def door() -> None:
                for number in left:
                    body = {"code": room["code"], "name": f"Guest {number}"}
                    async with session.post(knock, json=body) as answer:
                        if answer.status != 201:
                            raise SystemExit(f"a join was answered with {answer.status}")
                        await answer.read()

            started, used = time.perf_counter(), time.process_time()
            await asyncio.gather(*(door() for _ in range(DOORS)))
            return time.perf_counter() - started, time.process_time() - used
