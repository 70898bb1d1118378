"""The listing of rooms where there are 100,000, against the same one where there are 1,000."""

import asyncio
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import insert, text

from mymozhem.clock import SystemClock
from mymozhem.db.base import new_id
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.api_host import ApiHost, make_api_host

from .figures import Figure, at_most
from .hosts import ENGINES, fresh_database

FEW, MANY = 1_000, 100_000
AT_ONCE = 1_000
LISTINGS = 40
ROUNDS = 4
TARGET = 2.0


def measure() -> Iterable[Figure]:
    """Measure both engines: one host fills its rooms, is measured, fills more."""
    for engine in ENGINES:
        with fresh_database(engine) as (url, folder):
            few, many, slow = asyncio.run(_measure(url, folder))
        what = f"listing of {MANY:,} rooms against {FEW:,}, {engine} (p95 {slow:.1f} ms)"
        yield at_most(what, TARGET, bare=few, ours=many, unit="ms")


async def _measure(url: str, folder: Path) -> tuple[float, float, float]:
    async with make_api_host(url, SystemClock(), folder) as host:
        template = await _template(host)
        await _fill(host, template, FEW)
        few = await _spans(host)
        await _fill(host, template, MANY - FEW)
        many = await _spans(host)
    ordered = sorted(many)
    return min(few), min(many), ordered[int(len(ordered) * 0.95)]


async def _template(host: ApiHost) -> dict[str, object]:
    made = await host.room()
    async with host.database.read() as session:
        row = await session.get_one(RoomRow, made["id"])
        return {each.key: getattr(row, each.key) for each in RoomRow.__mapper__.column_attrs}


async def _fill(host: ApiHost, template: dict[str, object], count: int) -> None:
    """Insert rooms as they would be, a quarter of them public."""
    async with host.database.write() as unit:
        for start in range(0, count, AT_ONCE):
            ids = [new_id("room") for _ in range(min(AT_ONCE, count - start))]
            rooms = [
                template | {"id": each, "code": each[-12:].upper(), "is_public": n % 4 == 0}
                for n, each in enumerate(ids)
            ]
            await unit.session.execute(insert(RoomRow), rooms)
    if host.database.dialect == "postgresql":
        async with host.database.write() as unit:
            await unit.session.execute(text("ANALYZE rooms"))  # as it does by itself in a minute


async def _spans(host: ApiHost) -> list[float]:
    """Return the milliseconds of a listing, each the median of a round."""
    return [statistics.median([await _span(host) for _ in range(LISTINGS)]) for _ in range(ROUNDS)]


async def _span(host: ApiHost) -> float:
    started = time.perf_counter()
    heard = await host.organizer.get("/rooms")
    if heard.status != 200:
        raise SystemExit(f"the listing was answered with {heard.status}")
    return (time.perf_counter() - started) * 1000
