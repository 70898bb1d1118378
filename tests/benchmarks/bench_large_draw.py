"""A draw among 1,000,000 participants through the platform: how long the event loop stands still.

The rows are inserted in bulk; then an app asks for the draw, prepares it by a rule, and the jobs
commit, select and reveal. A ticker of 5 ms notes its longest delay: what everybody else would feel.
"""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from sqlalchemy import insert

from mymozhem.auth.tables import UserRow
from mymozhem.clock import SystemClock
from mymozhem.contract import JsonObject, ParticipantStatus, PersonKind, Role, hookimpl
from mymozhem.db.base import new_id
from mymozhem.db.uow import Database
from mymozhem.rooms import drawing
from mymozhem.rooms.drawing import DrawWish
from mymozhem.rooms.jobs import Jobs
from mymozhem.rooms.services import Services
from mymozhem.rooms.tables import DrawRow, ParticipantRow, RoomRow
from mymozhem.rooms.writer import write_room
from tests.integration.rooms.build import make_house

from .figures import Figure, bound
from .hosts import fresh_database

PEOPLE = 1_000_000
AT_ONCE = 20_000
WINNERS = 100
TICK_SECONDS = 0.005
TARGET_STALL_MS = 100
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
        span, stall = runner.run(_measure(url, folder))
    what = f"draw among {PEOPLE:,} participants through the platform ({span:.0f} s)"
    yield bound(f"{what}, longest stall", TARGET_STALL_MS, ours=stall * 1000, unit="ms")
    yield bound(f"{what}, memory", TARGET_MIB, ours=_peak_mib(), unit="MiB")


async def _measure(url: str, folder: Path) -> tuple[float, float]:
    database = Database(url, clock=SystemClock())
    await database.open()
    try:
        house = await make_house(database, SystemClock(), folder, {"raffle": Raffle()})
        room = await house.start("raffle")
        await house.prize(room, quantity=WINNERS)
        await _fill(database, room)
        delays: list[float] = []
        started = time.perf_counter()
        async with _ticking(delays):
            await _draw(house.services, room)
        span = time.perf_counter() - started
        house.services.workshop.close()
        await house.services.dispatcher.close()
    finally:
        await database.close()
    return span, max(delays)


async def _fill(database: Database, room: RoomRow) -> None:
    for _ in range(0, PEOPLE, AT_ONCE):
        async with database.write() as unit:
            moments = {"created_at": unit.now, "updated_at": unit.now}
            flags = {"is_admin": False, "email_verified": False}
            ids = [new_id("usr") for _ in range(AT_ONCE)]
            users = [
                {"id": each, "name": "Guest", "kind": PersonKind.GUEST} | flags | moments
                for each in ids
            ]
            await unit.session.execute(insert(UserRow), users)
            shared = {
                "room_id": room.id,
                "role": Role.PARTICIPANT,
                "status": ParticipantStatus.ACTIVE,
                "data": {},
                "own": {},
                "private": {},
                "points": 0,
                "joined_at": unit.now,
                "updated_at": unit.now,
            }
            people = [
                shared | {"id": new_id("part"), "user_id": each, "display_name": each[-32:]}
                for each in ids
            ]
            await unit.session.execute(insert(ParticipantRow), people)


async def _draw(services: Services, room: RoomRow) -> None:
    async with write_room(services, room.id) as writer:
        draw = await drawing.request(writer, DrawWish(run=True))
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
