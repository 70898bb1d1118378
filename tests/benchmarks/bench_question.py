"""One question, and 500 phones that answer it within one second, over HTTP on SQLite.

The host runs in a process and on a core of its own. Each phone has its own connection, which it
has looked at the question with. Run as a program, this module is that host.
"""

import asyncio
import gc
import random
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop
from sqlalchemy import make_url

from mymozhem.clock import SystemClock
from tests.support.api_host import make_api_host

from .apart import Apart, apart, log_aside, told
from .crowd import APP, QUESTION, RIGHT, SlowWindowApp, seat
from .figures import Figure, bound
from .hosts import fresh_database, served

PHONES = 500
SPREAD = 1.0
ROUNDS = 5
TARGET_LAST = 1.3
TARGET_P50_MS = 100
TARGET_CPU = 1.5


@dataclass(frozen=True, order=True)
class Run:
    """One round: seconds from the first answer to the last acknowledgement, of waiting, of CPU."""

    last: float
    waits: tuple[float, ...]
    cpu: float

    def wait_ms(self, part: float) -> float:
        """Return how long that part of the phones had waited at most, in milliseconds."""
        return self.waits[round(part * (len(self.waits) - 1))] * 1000


def measure() -> Iterable[Figure]:
    """Take the best of some rounds, each on a fresh database; the machine has other work too."""
    best = min(_round(SPREAD) for _ in range(ROUNDS))
    burst = min(_round(0) for _ in range(ROUNDS))
    what = f"{PHONES} phones answer one question within one second"
    yield bound(f"{what}, last acknowledgement", TARGET_LAST, ours=best.last, unit="s")
    about = f"p99 {best.wait_ms(0.99):.0f} ms"
    yield bound(f"{what}, p50 ({about})", TARGET_P50_MS, ours=best.wait_ms(0.5), unit="ms")
    yield bound(f"{what}, the host's CPU", TARGET_CPU, ours=best.cpu, unit="s")
    at_once = f"the same at the same moment, last acknowledgement (p50 {burst.wait_ms(0.5):.0f} ms"
    what = f"{at_once}, {burst.cpu:.2f} s of CPU)"
    yield bound(what, TARGET_LAST, ours=burst.last, unit="s")


def _round(spread: float) -> Run:
    with fresh_database("sqlite") as (url, folder):
        run, acknowledged = uvloop.run(_question(url, folder, spread))
        missing = acknowledged - _stored(url)
    if missing or len(acknowledged) != PHONES:
        raise SystemExit(f"{len(acknowledged)} answers acknowledged, {len(missing)} of them lost")
    return run


def _stored(url: str) -> set[str]:
    """Return the ids that are in the file, as another program reads it."""
    file = sqlite3.connect(make_url(url).database or "")
    try:
        return {each for (each,) in file.execute("SELECT id FROM submissions")}
    finally:
        file.close()


async def _question(url: str, folder: Path, spread: float) -> tuple[Run, set[str]]:
    chance = random.Random(spread)
    moments = [chance.uniform(0, spread) for _ in range(PHONES)]
    async with apart(__name__, url, folder) as host, _phones(host) as phones:
        await asyncio.gather(*(phone.look() for phone in phones))
        before = await host.cpu()
        first = asyncio.get_running_loop().time() + 0.1 - min(moments)
        heard = await asyncio.gather(
            *(phone.answer(first + at) for phone, at in zip(phones, moments, strict=True))
        )
        cpu = await host.cpu() - before
    began, ended = min(each.sent for each in heard), max(each.acknowledged for each in heard)
    waits = sorted(each.acknowledged - each.sent for each in heard)
    return Run(ended - began, tuple(waits), cpu), {each.submission_id for each in heard}


@dataclass(frozen=True)
class _Heard:
    submission_id: str
    sent: float
    acknowledged: float


@dataclass(frozen=True)
class _Phone:
    """A phone with its connection."""

    http: aiohttp.ClientSession
    window: str

    async def look(self) -> None:
        """Look at the question, as every phone does before it answers."""
        async with self.http.get(self.window) as found:
            await _read(found)

    async def answer(self, at: float) -> _Heard:
        """Answer at a moment of the loop's clock."""
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        body = {"payload": {"option": RIGHT}}
        sent = time.perf_counter()
        async with self.http.post(f"{self.window}/submissions", json=body) as found:
            accepted = await _read(found)
        return _Heard(accepted["submissionId"], sent, time.perf_counter())


async def _read(found: aiohttp.ClientResponse) -> dict[str, str]:
    if found.status != 200:
        raise SystemExit(f"{found.url} was answered with {found.status}")
    data: dict[str, str] = (await found.json())["data"]
    return data


@asynccontextmanager
async def _phones(host: Apart) -> AsyncIterator[list[_Phone]]:
    window, tokens = host.said
    async with AsyncExitStack() as open_until:
        phones = []
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            http = aiohttp.ClientSession(headers=headers)
            phones.append(_Phone(await open_until.enter_async_context(http), window))
        yield phones


async def serve(url: str, folder: Path) -> None:
    """Serve a room with a question in it, until nobody listens any more."""
    log_aside()
    async with make_api_host(url, SystemClock(), folder, apps={APP: SlowWindowApp()}) as host:
        room = await host.start(appId=APP)
        clock = host.host.services.clock
        guests = await seat(host.database, room["id"], PHONES, now=clock.now())
        issue = host.host.tokens.issue
        tokens = [issue(guest, room_id=room["id"]).access_token for guest in guests]
        heard = await host.organizer.post(f"/rooms/{room['id']}/actions/ask", {})
        if heard.status != 200:
            raise SystemExit(f"the question was answered with {heard.raw!r}")
        gc.freeze()  # as `mymozhem serve` does
        async with served(host.app) as address:
            path = f"/api/v1/rooms/{room['id']}/windows/{QUESTION}"
            await told([f"{address}{path}", tokens])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], Path(sys.argv[2])))
