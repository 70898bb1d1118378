"""`GET /rooms/{id}` of 32 people with tokens, against a bare JSON route on the same server."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import aiohttp
import uvloop
from quart import Response
from sqlalchemy import event

from mymozhem.clock import SystemClock
from tests.support.api_host import ApiHost, make_api_host

from .figures import Figure, at_least, bound
from .hosts import ENGINES, fresh_database, served

CONCURRENCY = 32
REQUESTS = 400
ROUNDS = 4
TARGET = 0.5


def measure() -> Iterable[Figure]:
    """Measure both engines, and count what a token asks of the database."""
    for engine in ENGINES:
        with fresh_database(engine) as (url, folder):
            runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
            with runner:
                bare, ours, queries = runner.run(_measure(url, folder))
        yield at_least(f"GET /rooms/{{id}}, {engine}", TARGET, bare=bare, ours=ours, unit="/s")
        yield bound(f"its authentication, {engine}", 0, ours=queries, unit="queries")


async def _measure(url: str, folder: Path) -> tuple[float, float, int]:
    async with make_api_host(url, SystemClock(), folder) as host:
        room = await host.start(prizes=[{"name": "Bike"}])
        body = (await host.organizer.get(f"/rooms/{room['id']}")).raw

        @host.app.get("/bare")
        async def bare() -> Response:
            return Response(body, content_type="application/json")

        queries = await _queries_of_a_token(host)
        people = [await host.guest(room, f"Guest {n}") for n in range(CONCURRENCY)]
        tokens = [guest.token or "" for guest, _ in people]
        async with served(host.app) as address:
            paths = (f"{address}/bare", f"{address}/api/v1/rooms/{room['id']}")
            rounds = [[await _rate(path, tokens) for path in paths] for _ in range(ROUNDS)]
    return max(each[0] for each in rounds), max(each[1] for each in rounds), queries


async def _queries_of_a_token(host: ApiHost) -> int:
    """Return how many statements a request with a token makes that asks for nothing stored."""
    statements: list[str] = []
    engine = host.database._reader.sync_engine  # noqa: SLF001  counted, not changed
    event.listen(engine, "before_cursor_execute", lambda *each: statements.append(each[2]))
    heard = await host.organizer.get("/apps")
    if heard.status != 200:
        raise SystemExit(f"the apps were answered with {heard.status}")
    return len(statements)


async def _rate(url: str, tokens: list[str]) -> float:
    """Return the requests a second that a URL answers to callers with their own tokens."""
    left = iter(range(REQUESTS))
    async with aiohttp.ClientSession() as session:

        async def caller(token: str) -> None:
            for _ in left:
                headers = {"Authorization": f"Bearer {token}"}
                async with session.get(url, headers=headers) as answer:
                    if answer.status != 200:
                        raise SystemExit(f"{url} was answered with {answer.status}")
                    await answer.read()

        started = time.perf_counter()
        await asyncio.gather(*(caller(token) for token in tokens))
        return REQUESTS / (time.perf_counter() - started)
