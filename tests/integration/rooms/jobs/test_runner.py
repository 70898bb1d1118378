"""Many at once: one effect; and no secret of a draw where anybody could read it."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, make_url, select

from mymozhem.contract import DrawStatus, PrizeCount, fair
from mymozhem.db.unit_of_work import Database
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms import timers
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from tests.support.apps.draw_app import DrawApp
from tests.support.host import make_host, make_services
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock, until

pytestmark = pytest.mark.both_engines


@pytest.fixture
def clock():
    return LoadTolerantClock()


@pytest.fixture
async def host(database, clock, tmp_path):
    host = await make_host(database, clock, tmp_path, {"drawer": DrawApp()})
    yield host
    await host.services.dispatcher.close()


@pytest.fixture
async def room(host):
    room = await host.start("drawer")
    await host.guests(room, 4)
    return room


async def request(host, room, **wish):
    prize = await host.prize(room, quantity=3)
    async with room_transaction(host.services, room.id) as transaction:
        prizes = (PrizeCount(prize_id=prize, count=2),)
        return (await commands.request(transaction, DrawRequest(prizes=prizes, **wish))).id


async def until_status(database, draw_id, status):
    """Wait until a draw has a status."""

    async def has_status():
        async with database.read() as session:
            found = await session.scalar(select(DrawRow.status).where(DrawRow.id == draw_id))
        return found is status

    await until(has_status)


async def run_once(services, room, draw_id):
    async with room_transaction(services, room.id) as transaction:
        await commands.run(transaction, await commands.by_id(transaction, draw_id))


async def test_a_hundred_concurrent_runs_have_one_effect(host, room):
    draw_id = await request(host, room)
    jobs = Jobs(host.services, poll=0.05)
    jobs.start()
    await until_status(host.services.database, draw_id, DrawStatus.COMMITTED)
    await asyncio.gather(*(run_once(host.services, room, draw_id) for _ in range(100)))
    await until_status(host.services.database, draw_id, DrawStatus.REVEALED)
    await jobs.stop()
    assert await host.count(WinnerRow) == 2
    assert len(await host.events(room.id, "winner:selected", "draw:revealed")) == 3


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_two_hosts_on_one_database_have_one_effect(host, room, database_url, tmp_path):
    other = Database(database_url, clock=LoadTolerantClock())
    await other.open()
    second = await make_services(other, LoadTolerantClock(), tmp_path, {"drawer": DrawApp()})
    runners = [Jobs(services, poll=0.02) for services in (host.services, second)]
    for each in runners:
        each.start()
    draw_id = await request(host, room)
    hosts = (host.services, second)
    await asyncio.gather(*(run_once(hosts[each % 2], room, draw_id) for each in range(100)))
    async with room_transaction(second, room.id) as transaction:
        for each in range(10):
            await timers.schedule(transaction, f"t{each}", after_ms=0, payload={})
    await until_status(other, draw_id, DrawStatus.REVEALED)
    async with asyncio.timeout(HANG_TIMEOUT):
        while len(await host.events(room.id, "drawer:said")) < 10:  # noqa: ASYNC110 - rows, no event
            await asyncio.sleep(0.02)
    for each in runners:
        await each.stop()
    await second.dispatcher.close()
    await other.close()
    fired = [event.payload["text"] for event in await host.events(room.id, "drawer:said")]
    assert sorted(fired) == sorted(f"t{each}" for each in range(10))
    assert await host.count(WinnerRow) == 2


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_the_secret_and_unused_links_stand_nowhere_in_plain(host, room, database_url, caplog):
    caplog.set_level(logging.DEBUG)
    jobs = Jobs(host.services)
    first = await request(host, room, run=True)
    await jobs.run_due()
    await request(host, room)
    await jobs.run_due()
    await jobs.stop()
    async with host.services.database.read() as session:
        row = await session.get(RoomRow, room.id)
        link = await session.scalar(select(DrawRow.link).where(DrawRow.id == first))
    secret = host.services.keys.unseal(row.draw_secret, aad=room.id.encode())
    file = Path(make_url(database_url).database)
    stored = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    assert link.encode() in stored  # what is public is found this way
    for hidden in (secret, fair.link(secret, 2), fair.link(secret, 3)):
        for written in (hidden, hidden.hex().encode()):
            assert written not in stored
            assert written.decode("latin-1") not in caplog.text


async def test_a_stopped_runner_gives_its_work_back_at_once(host, room):
    jobs = Jobs(host.services, poll=0.05)
    draw_id = await request(host, room, run=True)
    jobs.start()
    await asyncio.sleep(0)
    await jobs.stop()
    again = Jobs(host.services)
    await again.run_due()
    await until_status(host.services.database, draw_id, DrawStatus.REVEALED)
    await again.stop()


async def test_a_draw_that_breaks_the_host_is_held_and_lets_others_pass(host, room):
    broken = await host.start("drawer")
    await host.guests(broken, 4)
    first, second = await request(host, broken), await request(host, room, run=True)
    async with host.services.database.write() as unit:
        # A row that is always there is gone, as after a repair by hand.
        await unit.session.execute(delete(RoomStateRow).where(RoomStateRow.room_id == broken.id))

    await Jobs(host.services).run_due()

    async with host.services.database.read() as session:
        held = await session.get_one(DrawRow, first)
        assert (held.status, held.held_code) == (DrawStatus.REQUESTED, "HOST_FAILED")
        assert (await session.get_one(DrawRow, second)).status is DrawStatus.REVEALED


async def test_a_host_that_has_not_heard_of_the_app_yet_holds_no_draw(host, room):
    draw_id = await request(host, room)
    await Jobs(replace(host.services, catalog=Catalog((), ()))).run_due()
    async with host.services.database.write() as unit:
        draw = await unit.session.get_one(DrawRow, draw_id)
        assert (draw.status, draw.held_code) == (DrawStatus.REQUESTED, None)
        assert draw.lease is not None
        draw.lease = draw.lease_until = None  # it rests for a moment
    await Jobs(host.services).run_due()
    await until_status(host.services.database, draw_id, DrawStatus.COMMITTED)
