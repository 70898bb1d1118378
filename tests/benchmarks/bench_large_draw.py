"""A draw among 1,000,000 participants through the platform: how long the event loop stands still.

The rows are inserted in bulk; then an app asks for the draw, prepares it by a rule, and the jobs
commit, select and reveal. A ticker of 5 ms notes its longest delay: what everybody else would feel.
"""

import asyncio
import gc
import resource
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from sqlalchemy import text

from mymozhem.clock import SystemClock
from mymozhem.contract import JsonObject, hookimpl
from mymozhem.contract.wire import build_models
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import make_host

from .figures import Figure, bound
from .hosts import fresh_database

PEOPLE = 1_000_000
WINNERS = 100
TICK_SECONDS = 0.005
TARGET_STALL_MS = 100
COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
USERS = f"""
INSERT INTO users (id, name, kind, is_admin, email_verified, created_at, updated_at)
{COUNT} SELECT printf('usr_%032x', i), name, kind, is_admin, email_verified, created_at, updated_at
FROM n, users WHERE id = :user
"""
PARTICIPANTS = f"""
INSERT INTO participants (id, room_id, user_id, display_name, role, status, metadata, own, private,
    points, joined_at, last_seen_at, updated_at)
{COUNT} SELECT printf('part_%032x', i), room_id, printf('usr_%032x', i), display_name || i, role,
    status, metadata, own, private, points, joined_at, last_seen_at, updated_at
FROM n, participants WHERE id = :person
"""
TARGET_MIB = 1024


class Raffle:
    """An app that lets everybody take part, which a rule says without naming anybody."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "raffle",
            "meta": {"name": "Raffle", "version": "1.0.0", "description": "Draws."},
            "capabilities": ["winnerSelection"],
            "permissions": [],
        }

    @hookimpl
    def prepare_draw(self) -> JsonObject:
        return {"entries": {"where": True}, "algorithm": "vrs-1"}


def measure() -> Iterable[Figure]:
    """Measure on SQLite, on the event loop that the host runs on."""
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    with fresh_database("sqlite") as (url, folder), runner:
        span, echo_app = runner.run(_measure(url, folder))
    what = f"draw among {PEOPLE:,} participants through the platform ({span:.0f} s)"
    yield bound(f"{what}, longest stall", TARGET_STALL_MS, ours=echo_app * 1000, unit="ms")
    yield bound(f"{what}, memory", TARGET_MIB, ours=_peak_mib(), unit="MiB")


async def _measure(url: str, folder: Path) -> tuple[float, float]:
    database = Database(url, clock=SystemClock())
    await database.open()
    try:
        host = await make_host(database, SystemClock(), folder, {"raffle": Raffle()})
        room = await host.start("raffle")
        await host.prize(room, quantity=WINNERS)
        await _fill(database, await host.guest(room))
        build_models()
        gc.collect()
        gc.freeze()  # as a host does after its start
        delays: list[float] = []
        started = time.perf_counter()
        async with _ticking(delays):
            await _draw(host.services, room)
        span = time.perf_counter() - started
        host.services.compute_pool.close()
        await host.services.dispatcher.close()
    finally:
        await database.close()
    return span, max(delays)


async def _fill(database: Database, first: JoinResult) -> None:
    """Make everybody else like the first one; row by row through Python it would take minutes."""
    ids = {"user": first.user_id, "person": first.participant.id, "last": PEOPLE - 1}
    async with database.write() as unit:
        for statement in (USERS, PARTICIPANTS):
            await unit.session.execute(text(statement), ids)


async def _draw(services: Services, room: RoomRow) -> None:
    async with room_transaction(services, room.id) as writer:
        draw = await commands.request(writer, DrawRequest(run=True))
    await Jobs(services).run_due()
    async with services.database.read() as session:
        status = (await session.get_one(DrawRow, draw.id)).status
    if status != "REVEALED":
        raise SystemExit(f"the draw is {status}")


@asynccontextmanager
async def _ticking(delays: list[float]) -> AsyncIterator[None]:
    """Note how much later than asked a timer comes, again and again."""

    async def tick() -> None:
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(TICK_SECONDS)
            delays.append(time.perf_counter() - asked - TICK_SECONDS)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()


def _peak_mib() -> float:
    """Return the most memory that this process or its child ever held, in MiB (Linux)."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
