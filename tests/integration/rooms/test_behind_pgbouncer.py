"""A whole event behind PgBouncer in transaction mode: each transaction may get another session."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mymozhem.clock import SystemClock
from mymozhem.contract import RoomStatus, WindowStatus
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.windows import commands, results
from tests.integration.rooms.upgrades.test_upgrade import OPTIONAL
from tests.support.apps.draw_app import DrawApp
from tests.support.apps.versioned_app import VersionedApp, open_versioned_host
from tests.support.apps.window_app import RULES, WindowApp, do, opening, send, window_of
from tests.support.draw_room import Event
from tests.support.host import HostHarness, make_host
from tests.support.pgbouncer import pgbouncer
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)

GUESTS = 12


@pytest.fixture
async def pooled(database_url: str) -> AsyncIterator[Database]:
    with pgbouncer(database_url) as address:
        database = Database(f"{address}?pgbouncer=true", clock=SystemClock())
        await database.open()
        yield database
        await database.close()


async def play(host: HostHarness) -> None:
    """Join, act, answer in a window, close it, and reveal its results."""
    room = await host.start("desk")
    guests = await host.guests(room, GUESTS)
    await do(host, room, opening(rules=RULES, points=10, results="onReveal"))
    await asyncio.gather(*(send(host, room, guest, {"n": 4}) for guest in guests))
    await commands.close(host.services, room.id, host.organizer, "w")
    while (await window_of(host, room)).status is not WindowStatus.CLOSED:
        await Jobs(host.services).run_due()
    await commands.reveal(host.services, room.id, host.organizer, "w")
    told = await perform(host.services, room.id, host.organizer, "recall", {})
    assert [points for *_, points in told.reply] == [10] * GUESTS
    async with host.services.database.read() as session:
        people = [await session.get_one(ParticipantRow, each.participant.id) for each in guests]
    assert [person.points for person in people] == [10] * GUESTS
    await host.replayed(room.id)


async def raffle(host: HostHarness) -> None:
    """Join, draw, and verify the record of the revealed draw."""
    room = await host.start("drawer")
    people = [joined.participant.id for joined in await host.guests(room, GUESTS)]
    event = Event(host, room, people)
    prize = await host.prize(room)
    draw_id = await event.request((prize, 1), run=True)
    while not await event.wins():
        await Jobs(host.services).run_due()
    await event.verified(draw_id)
    await host.change(room.id, status=RoomStatus.COMPLETED)
    await host.replayed(room.id)


async def test_people_join_act_answer_and_win(
    pooled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "AT_ONCE", 5)  # results have several parts
    apps = {"desk": WindowApp(), "drawer": DrawApp()}
    host = await make_host(pooled, SystemClock(), tmp_path, apps)
    async with asyncio.timeout(HANG_TIMEOUT):
        await asyncio.gather(play(host), raffle(host))
    await host.services.dispatcher.close()


async def test_a_room_is_moved_to_another_version(pooled: Database, tmp_path: Path) -> None:
    opened = await open_versioned_host(pooled, SystemClock(), tmp_path)
    room = await opened.room({"limit": 7})
    await opened.install(VersionedApp("1.1.0", OPTIONAL))
    moved = await opened.upgrade(room, "1.1.0")
    assert moved.moved
    assert (await opened.now(room)).app_settings["limit"] == 7
    await opened.replayed(room)
    await opened.host.services.dispatcher.close()
