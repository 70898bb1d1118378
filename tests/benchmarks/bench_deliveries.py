"""Deliveries a second, against one bare INSERT and one bare UPDATE for each.

The bare side inserts a row and marks it as done, a transaction each, one after the other, as the
least outbox would; it survives no crash between claim and delivery, keeps no order and records no
attempt. Ours tells of 16 rooms, eight events in a transaction as a room that is played in writes
them, and has each carried to an app that answers at once: written, claimed with a lease, carried,
settled, its attempt recorded. At half the bare rate all of that costs no more than doing it twice.
"""

import asyncio
import logging
import time
from collections.abc import Iterable

import structlog
import uvloop
from sqlalchemy import func, insert, select, update

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.db.base import new_id
from mymozhem.db.engine import create_engine
from mymozhem.db.unit_of_work import Database
from mymozhem.deliveries.delivery import Delivery, Outcome, Result
from mymozhem.deliveries.outbox import Outbox
from mymozhem.deliveries.relay import Relay
from mymozhem.deliveries.retry_schedule import Schedules
from mymozhem.deliveries.tables import DeliveryContextRow, DeliveryRow, DeliveryState
from tests.support.relay_host import NoManifests, telling

from .figures import Figure, at_least
from .hosts import ENGINES, fresh_database

STREAMS, TURNS, EVENTS = 16, 10, 8
BARE = 300
ROUNDS = 3
TARGET = 0.5


def measure() -> Iterable[Figure]:
    """Take the best rate of each; they take turns, each round on a fresh database."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for engine in ENGINES:
        rounds = [_round(engine) for _ in range(ROUNDS)]
        bare, ours = (max(rates) for rates in zip(*rounds, strict=True))
        name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[engine]
        yield at_least(f"deliveries, {name}", TARGET, bare=bare, ours=ours, unit="/s")


def _round(engine: str) -> tuple[float, float]:
    with fresh_database(engine) as (url, _):
        return uvloop.run(_rates(url))


async def _rates(url: str) -> tuple[float, float]:
    database = Database(url, clock=SystemClock())
    await database.open()
    try:
        return await _bare(url), await _ours(database)
    finally:
        await database.close()


async def _bare(url: str) -> float:
    """Return how many rows a second are inserted and then marked, a transaction for each."""
    engine = create_engine(url)
    now = SystemClock().now()
    try:
        async with engine.begin() as connection:
            await connection.execute(insert(DeliveryContextRow), {"id": "bare", "document": {}})
        started = time.perf_counter()
        for place in range(BARE):
            row = _row(place) | {"occurred_at": now, "created_at": now}
            async with engine.begin() as connection:
                await connection.execute(insert(DeliveryRow), row)
            async with engine.begin() as connection:
                await connection.execute(
                    update(DeliveryRow)
                    .where(DeliveryRow.id == row["id"])
                    .values(state=DeliveryState.DELIVERED, settled_at=now)
                )
        return BARE / (time.perf_counter() - started)
    finally:
        await engine.dispose()


def _row(place: int) -> dict[str, object]:
    return {
        "id": new_id("call"),
        "stream": "bare",
        "position": place,
        "app_id": "bare",
        "app_version": "1.0.0",
        "capability": "analytics",
        "hook": "on_event",
        "room_id": "room_1",
        "context_id": "bare",
        "request": {"n": place},
    }


class _App:
    """Takes everything at once, and wakes whoever waits for all of it."""

    def __init__(self, expected: int) -> None:
        self.all = asyncio.Event()
        self._left = expected

    async def __call__(self, _: Delivery, /) -> Result:
        self._left -= 1
        if not self._left:
            self.all.set()
        return Result(Outcome.DELIVERED)


async def _ours(database: Database) -> float:
    """Return how many a second are written, carried and settled."""
    outbox, total = Outbox(), STREAMS * TURNS * EVENTS
    app = _App(total)
    relay = Relay(database, outbox, app, Schedules(NoManifests(), Settings()), SystemClock())
    relay.start()
    started = time.perf_counter()
    for number in range(STREAMS * TURNS):
        told = telling(range(EVENTS), app="ours", room=f"room_{number % STREAMS}")
        async with database.write() as unit:
            await outbox.enqueue(unit, [told])
    await app.all.wait()
    await relay.stop()
    span = time.perf_counter() - started
    async with database.read() as session:
        delivered = await session.scalar(
            select(func.count()).where(
                DeliveryRow.app_id == "ours", DeliveryRow.state == DeliveryState.DELIVERED
            )
        )
    if delivered != total:
        raise SystemExit(f"{delivered} of {total} deliveries are settled")
    return total / span
