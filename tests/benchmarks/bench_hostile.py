"""How long people in other rooms wait while an app's server misbehaves, against a quiet evening."""

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
import uvloop

from mymozhem.clock import SystemClock
from mymozhem.db.all_tables import import_tables
from mymozhem.dispatch.breakers.breaker import Key
from tests.support.api_host import ApiHost, make_api_host
from tests.support.databases import create_tables
from tests.unit.outbound.hostile import Script, drip, flood, hang, serving

from .figures import Figure, at_most

ROUNDS = 6
ACTIONS = 300
AT_ONCE = 8
TARGET = 1.5
SCRIPTS: dict[str, Script] = {"hangs": hang, "drips": drip(every=1.0), "never stops": flood}


def measure() -> Iterable[Figure]:
    """Measure the time that 99 of 100 actions of a healthy app's room take."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return [runner.run(_measure(how, script)) for how, script in SCRIPTS.items()]


async def _measure(how: str, script: Script) -> Figure:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        server = await stack.enter_async_context(serving(script))
        url = f"sqlite:///{folder / 'host.sqlite3'}"
        await create_tables(url, import_tables())
        host = await stack.enter_async_context(
            make_api_host(url, SystemClock(), folder, allow_networks="127.0.0.0/8")
        )
        policies = {"actions": {"timeout": 2_000}}
        await host.remote_app("raffle", baseUrl=server.url, policies=policies)
        healthy, sick = await host.start(), await host.start(appId="raffle")
        quiet, loud = [], []
        for _ in range(ROUNDS):
            quiet.append(await _p99(host, healthy))
            crowd = [asyncio.create_task(_press(host, sick)) for _ in range(AT_ONCE)]
            await asyncio.sleep(0.05)
            loud.append(await _p99(host, healthy))
            for each in crowd:
                each.cancel()
            await asyncio.gather(*crowd, return_exceptions=True)
    what = f"actions of other rooms while an app's server {how}, p99"
    return at_most(what, TARGET, bare=min(quiet) * 1_000, ours=min(loud) * 1_000, unit="ms")


async def _p99(host: ApiHost, room: Any) -> float:
    spans = []
    for _ in range(ACTIONS):
        started = time.perf_counter()
        heard = await host.organizer.post(f"/rooms/{room['id']}/actions/do", {"effects": []})
        spans.append(time.perf_counter() - started)
        assert heard.status == 200, heard.raw
    return sorted(spans)[ACTIONS * 99 // 100]


async def _press(host: ApiHost, room: Any) -> None:
    """Act in the sick app's room ten times a second; its breaker is kept from opening."""
    key = Key("raffle", "1.0.0", "actions")
    while True:
        await host.organizer.post(f"/rooms/{room['id']}/actions/do", {})
        await host.host.services.breakers.reset(key)
        await asyncio.sleep(0.1)
