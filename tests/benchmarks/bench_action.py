"""Actions over HTTP, 32 at a time in eight rooms, against a bare route that writes the same rows.

The bare route parses the JSON body, and in one transaction updates the room, its state and its
stream and inserts two events, all on the engine that the host uses. Both are on the same server.
Ours verifies the token, checks the caller and the payload, and calls the app inside the process.
"""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from quart import request
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from mymozhem.clock import SystemClock
from mymozhem.db.engine import create_engine
from mymozhem.rooms.tables.events import RoomEventRow, RoomStreamRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from tests.support.api_host import ApiHost, make_api_host

from .figures import Figure, at_least
from .hosts import ENGINES, fresh_database, served

ROOMS = 8
CONCURRENCY = 32
REQUESTS = 400
ROUNDS = 4
TARGET = 0.6
BODY = {
    "effects": [
        {"effect": "setState", "public": {"rung": 1}},
        {"effect": "emit", "type": "stall:said", "payload": {"rung": 1}, "to": "public"},
        {"effect": "reply", "data": {"rung": 1}},
    ]
}
#: above every number that the host's own events have
FIRST_NUMBER = 1_000_000


def measure() -> Iterable[Figure]:
    """Measure both engines; the two routes take turns, and the best round of each counts."""
    for engine in ENGINES:
        with (
            fresh_database(engine) as (url, folder),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            bare, ours = runner.run(_measure(url, folder))
        what = f"action over HTTP, {CONCURRENCY} at a time in {ROOMS} rooms, {engine}"
        yield at_least(what, TARGET, bare=bare, ours=ours, unit="/s")


async def _measure(url: str, folder: Path) -> tuple[float, float]:
    async with make_api_host(url, SystemClock(), folder) as host:
        callers, writers = await _callers(host), await _callers(host)
        engine = create_engine(url)
        _add_bare_route(host, engine)
        try:
            async with served(host.app) as address:
                bare = [(f"{address}/bare/{room}", token) for room, token in writers]
                path = "/api/v1/rooms/{}/actions/do"
                ours = [(address + path.format(room), token) for room, token in callers]
                rounds = [(await _rate(bare), await _rate(ours)) for _ in range(ROUNDS)]
        finally:
            await engine.dispose()
    return max(each[0] for each in rounds), max(each[1] for each in rounds)


async def _callers(host: ApiHost) -> list[tuple[str, str]]:
    """Start rooms and seat guests in them; return each guest's room and token."""
    rooms = [await host.start() for _ in range(ROOMS)]
    seated = zip(itertools.cycle(rooms), range(CONCURRENCY), strict=False)
    guests = [(room["id"], await host.guest(room, f"Guest {n}")) for room, n in seated]
    return [(room, guest.token or "") for room, (guest, _) in guests]


def _add_bare_route(host: ApiHost, engine: AsyncEngine) -> None:
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(FIRST_NUMBER, 2))

    @host.app.post("/bare/<room>")
    async def bare(room: str) -> dict[str, Any]:
        body = await request.get_json()
        number, now = next(numbers[room]), host.host.services.clock.now()
        state = {"rung": body["effects"][0]["public"]["rung"]}
        public = RoomStreamRow.room_id == room, RoomStreamRow.stream == "public"
        async with engine.begin() as connection:
            await connection.execute(
                update(RoomStateRow).where(RoomStateRow.room_id == room),
                {"public": state, "version": number},
            )
            await connection.execute(update(RoomStreamRow).where(*public), {"last_no": number})
            await connection.execute(
                update(RoomRow).where(RoomRow.id == room), {"last_seq": number}
            )
            await connection.execute(insert(RoomEventRow), _events(room, number, state, now))
        return {"data": {"reply": state, "cursor": f"{number}.0"}, "meta": {}}


def _events(room: str, number: int, state: object, now: object) -> list[dict[str, object]]:
    kinds = ("state:changed", {"part": "public", "state": state}), ("stall:said", state)
    return [
        {
            "room_id": room, "seq": number + place, "stream": "public", "type": kind,
            "stream_no": number + place, "payload": payload, "schema_version": 1,
            "after_end": False, "created_at": now,
        }
        for place, (kind, payload) in enumerate(kinds)
    ]  # fmt: skip


async def _rate(callers: Sequence[tuple[str, str]]) -> float:
    """Return the requests a second that are answered to all callers together."""
    left = iter(range(REQUESTS))
    async with aiohttp.ClientSession() as session:

        async def call(url: str, token: str) -> None:
            for _ in left:
                headers = {"Authorization": f"Bearer {token}"}
                async with session.post(url, json=BODY, headers=headers) as answer:
                    if answer.status != 200:
                        raise SystemExit(f"{url} was answered with {answer.status}")
                    await answer.read()

        started = time.perf_counter()
        await asyncio.gather(*(call(url, token) for url, token in callers))
        return REQUESTS / (time.perf_counter() - started)
