"""What the edge costs: one room against a bare route, and the listing of 100,000 rooms.

Run with `python -m tests.benchmarks.bench_api`.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import click
import uvicorn
from quart import Quart, Response
from sqlalchemy import event, insert, text

from mymozhem.clock import SystemClock
from mymozhem.db.base import new_id
from mymozhem.migrations import import_tables
from mymozhem.rooms.tables import RoomRow
from tests.api.house import House, make_house
from tests.databases import PostgresTemplate, SqliteTemplate, postgres_server

CONCURRENCY = 32
REQUESTS = int(os.environ.get("MYMOZHEM_BENCH_REQUESTS", "1500"))
ROUNDS = 3


async def served(app: Quart) -> tuple[uvicorn.Server, asyncio.Task[None], int]:
    config = uvicorn.Config(
        app, port=0, lifespan="off", log_config=None, ws="none", http="httptools", access_log=False
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
        await asyncio.sleep(0.01)
    return server, task, server.servers[0].sockets[0].getsockname()[1]


async def throughput(url: str, tokens: list[str]) -> float:
    """Return the requests a second that a URL answers to 32 callers, each with their own token."""
    left = iter(range(REQUESTS))
    async with aiohttp.ClientSession() as session:

        async def caller(token: str) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            for _ in left:
                async with session.get(url, headers=headers) as answer:
                    assert answer.status == 200
                    await answer.read()

        started = time.perf_counter()
        await asyncio.gather(*(caller(token) for token in tokens))
        return REQUESTS / (time.perf_counter() - started)


async def one_room(url: str, folder: Path) -> tuple[float, float, int]:
    async with make_house(url, SystemClock(), folder) as house:
        room = await house.start(prizes=[{"name": "Bike"}])
        path = f"/api/v1/rooms/{room['id']}"
        body = (await house.organizer.get(f"/rooms/{room['id']}")).raw

        @house.app.get("/bare")
        async def bare() -> Response:
            return Response(body, content_type="application/json")

        queries: list[str] = []
        engine = house.database._reader.sync_engine  # noqa: SLF001 - counted, not changed
        event.listen(engine, "before_cursor_execute", lambda *a: queries.append(a[2]))
        await house.organizer.ask("GET", "//.well-known/jwks.json")
        for_auth = len(queries)
        server, task, port = await served(house.app)
        guests = [await house.guest(room, f"Guest {n}") for n in range(CONCURRENCY)]
        tokens = [guest.token or "" for guest, _ in guests]
        ratios, speeds = [], []
        for _ in range(ROUNDS):
            base = await throughput(f"http://127.0.0.1:{port}/bare", tokens)
            ours = await throughput(f"http://127.0.0.1:{port}{path}", tokens)
            ratios.append(ours / base)
            speeds.append(ours)
        server.should_exit = True
        await task
    return statistics.median(ratios), statistics.median(speeds), for_auth


async def fill(house: House, count: int) -> None:
    """Insert rooms as they would be, a quarter of them public."""
    template = await house.room()
    async with house.database.read() as session:
        row = await session.get_one(RoomRow, template["id"])
        values = {c.key: getattr(row, c.key) for c in RoomRow.__mapper__.column_attrs}
    for start in range(0, count, 1_000):
        rooms = [
            values | {"id": new_id("room"), "code": f"C{start + n}", "is_public": n % 4 == 0}
            for n in range(min(1_000, count - start))
        ]
        async with house.database.write() as unit:
            await unit.session.execute(insert(RoomRow), rooms)


async def analyse(house: House) -> None:
    """Do what PostgreSQL does by itself within a minute."""
    if house.database.dialect == "postgresql":
        async with house.database.write() as unit:
            await unit.session.execute(text("ANALYZE rooms"))


async def listing(url: str, folder: Path, count: int) -> tuple[float, float]:
    """Return the median and the 95th percentile of a listing, in milliseconds."""
    async with make_house(url, SystemClock(), folder) as house:
        await fill(house, count)
        await analyse(house)
        spans = []
        for _ in range(200):
            started = time.perf_counter()
            assert (await house.organizer.get("/rooms")).status == 200
            spans.append((time.perf_counter() - started) * 1000)
    ordered = sorted(spans)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.95)]


@contextmanager
def engine(name: str, folder: Path):
    if name == "sqlite":
        with SqliteTemplate(folder, import_tables()).copy(_made(folder / "data")) as url:
            yield url
        return
    with postgres_server(folder / "pg") as server:
        template = PostgresTemplate(server, import_tables())
        try:
            with template.copy() as url:
                yield url
        finally:
            template.close()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def measured(name: str, work: Callable[[str, Path], Awaitable[tuple[float, ...]]]):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with engine(name, folder) as url:
            return asyncio.run(work(url, folder))


def main() -> None:
    click.echo("| what | engine | measured | target |\n| --- | --- | --- | --- |")
    for name in ("sqlite", "postgresql"):
        ratio, speed, queries = measured(name, one_room)
        click.echo(f"| GET /rooms/{{id}} | {name} | {ratio:.0%} of bare, {speed:.0f}/s | ≥ 50 % |")
        click.echo(f"| queries for authentication | {name} | {queries} | 0 |")
        small = measured(name, lambda url, folder: listing(url, folder, 1_000))
        large = measured(name, lambda url, folder: listing(url, folder, 100_000))
        times = (
            f"{small[0]:.1f} → {large[0]:.1f} ms ({large[0] / small[0]:.1f} ×), p95 {large[1]:.1f}"
        )
        click.echo(f"| listing, 1,000 → 100,000 rooms | {name} | {times} | ≤ 2 × |")


if __name__ == "__main__":
    main()
