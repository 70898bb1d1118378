"""5,000 people submit to one window at once, against one INSERT transaction each on SQLite.

The bare side inserts the same rows through SQLAlchemy's core on the same engine, one transaction
for each as a handler of its own would, and nothing else; the database waits for the disk at every
commit (`synchronous = FULL`). Ours looks up, checks, judges and numbers each before the commit.
"""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import uvloop
from sqlalchemy import insert, select

from mymozhem.auth.principal import Principal
from mymozhem.clock import SystemClock
from mymozhem.contract import Role, Verdict
from mymozhem.db.engine import create_engine
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import SubmissionRow
from mymozhem.rooms.windows.queries import find_window
from mymozhem.rooms.windows.submit import submit
from tests.support.host import HostHarness, make_host

from .crowd import APP, QUESTION, RIGHT, SlowWindowApp, seat
from .figures import Figure, said
from .hosts import fresh_database

PEOPLE = 5_000
BARE = 500
ROUNDS = 3
TARGET = 5


def measure() -> Iterable[Figure]:
    """Take the best rate of each; they take turns, each round on a fresh database."""
    rounds = [_round() for _ in range(ROUNDS)]
    bare, ours = (max(rates) for rates in zip(*rounds, strict=True))
    yield Figure(
        f"{PEOPLE:,} submissions to one window at once",
        said(bare, "/s"),
        said(ours, "/s"),
        f"{ours / bare:.1f} × as many",
        f"≥ {TARGET} × as many",
        ours >= TARGET * bare,
    )


def _round() -> tuple[float, float]:
    with fresh_database("sqlite") as (url, folder):
        return uvloop.run(_rates(url, folder))


async def _rates(url: str, folder: Path) -> tuple[float, float]:
    clock = SystemClock()
    database = Database(url, clock=clock)
    await database.open()
    try:
        host = await make_host(database, clock, folder, {APP: SlowWindowApp()})
        bare = await _bare(host, url)
        ours = await _ours(host)
        await host.services.dispatcher.close()
    finally:
        await database.close()
    return bare, ours


async def _bare(host: HostHarness, url: str) -> float:
    """Return how many rows a second are inserted by a transaction for each."""
    room, _ = await _asked(host, BARE)
    rows = await _rows(host, room)
    engine = create_engine(url)
    try:
        started = time.perf_counter()
        for row in rows:
            async with engine.begin() as connection:
                await connection.execute(insert(SubmissionRow), row)
        return len(rows) / (time.perf_counter() - started)
    finally:
        await engine.dispose()


async def _ours(host: HostHarness) -> float:
    """Return how many submissions a second are acknowledged; all of them are stored by then."""
    room, callers = await _asked(host, PEOPLE)
    payload = {"option": RIGHT}
    started = time.perf_counter()
    heard = await asyncio.gather(
        *(submit(host.services, room.id, caller, QUESTION, payload) for caller in callers)
    )
    span = time.perf_counter() - started
    stored = await host.count(SubmissionRow, room_id=room.id, verdict=Verdict.RIGHT)
    if not len({each.submission_id for each in heard}) == stored == len(callers):
        raise SystemExit(f"{stored} of {len(callers)} submissions are stored")
    return len(callers) / span


async def _asked(host: HostHarness, people: int) -> tuple[RoomRow, list[Principal]]:
    """Make a room in which so many guests are asked a question."""
    room, services = await host.start(APP), host.services
    guests = await seat(services.database, room.id, people, now=services.clock.now())
    await perform(services, room.id, host.organizer, "ask", {})
    return room, [Principal(guest.id, guest.kind, room.id, "token") for guest in guests]


async def _rows(host: HostHarness, room: RoomRow) -> list[dict[str, object]]:
    now = host.services.clock.now()
    async with host.services.database.read() as session:
        window = await find_window(session, room.id, QUESTION)
        people = await session.scalars(
            select(ParticipantRow.id).where(
                ParticipantRow.room_id == room.id, ParticipantRow.role == Role.PARTICIPANT
            )
        )
    return [
        {
            "room_id": room.id,
            "window_id": window.id,
            "participant_id": person,
            "ordinal": ordinal,
            "payload": {"option": RIGHT},
            "received_at": now,
            "elapsed_ms": 0,
            "single": True,
            "verdict": Verdict.RIGHT,
            "judged": True,
            "created_at": now,
        }
        for ordinal, person in enumerate(people, 1)
    ]
