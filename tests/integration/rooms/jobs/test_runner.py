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
from mymozhem.rooms.core.transaction import write_room
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawWish
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from tests.support.apps.draw_app import Drawer
from tests.support.host import make_house, make_services
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock

pytestmark = pytest.mark.both_engines


@pytest.fixture
def clock():
    return LoadTolerantClock()


@pytest.fixture
async def house(database, clock, tmp_path):
    house = await make_house(database, clock, tmp_path, {"drawer": Drawer()})
    yield house
    await house.services.dispatcher.close()


@pytest.fixture
async def room(house):
    room = await house.start("drawer")
    await house.guests(room, 4)
    return room


async def request(house, room, **wish):
    prize = await house.prize(room, quantity=3)
    async with write_room(house.services, room.id) as writer:
        prizes = (PrizeCount(prize_id=prize, count=2),)
        return (await commands.request(writer, DrawWish(prizes=prizes, **wish))).id


async def until(database, draw_id, status):
    while True:
        async with database.read() as session:
            found = await session.scalar(select(DrawRow.status).where(DrawRow.id == draw_id))
        if found is status:
            return
        await asyncio.sleep(0.01)


async def run_once(services, room, draw_id):
    async with write_room(services, room.id) as writer:
        await commands.run(writer, await commands.by_id(writer, draw_id))


async def test_a_hundred_concurrent_runs_have_one_effect(house, room):
    draw_id = await request(house, room)
    jobs = Jobs(house.services, poll=0.05)
    jobs.start()
    await until(house.services.database, draw_id, DrawStatus.COMMITTED)
    await asyncio.gather(*(run_once(house.services, room, draw_id) for _ in range(100)))
    await until(house.services.database, draw_id, DrawStatus.REVEALED)
    await jobs.stop()
    assert await house.count(WinnerRow) == 2
    assert len(await house.events(room.id, "winner:selected", "draw:revealed")) == 3


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_two_hosts_on_one_database_have_one_effect(house, room, database_url, tmp_path):
    other = Database(database_url, clock=LoadTolerantClock())
    await other.open()
    second = await make_services(other, LoadTolerantClock(), tmp_path, {"drawer": Drawer()})
    runners = [Jobs(services, poll=0.02) for services in (house.services, second)]
    for each in runners:
        each.start()
    draw_id = await request(house, room)
    hosts = (house.services, second)
    await asyncio.gather(*(run_once(hosts[each % 2], room, draw_id) for each in range(100)))
    async with write_room(second, room.id) as writer:
        for each in range(20):
            await timers.schedule(writer, f"t{each}", after_ms=0, payload={})
    await until(other, draw_id, DrawStatus.REVEALED)
    async with asyncio.timeout(HANG_TIMEOUT):
        while len(await house.events(room.id, "drawer:said")) < 20:  # noqa: ASYNC110 - rows, no event
            await asyncio.sleep(0.02)
    for each in runners:
        await each.stop()
    await second.dispatcher.close()
    await other.close()
    fired = [event.payload["text"] for event in await house.events(room.id, "drawer:said")]
    assert sorted(fired) == sorted(f"t{each}" for each in range(20))
    assert await house.count(WinnerRow) == 2


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_the_secret_and_unused_links_stand_nowhere_in_plain(
    house, room, database_url, caplog
):
    caplog.set_level(logging.DEBUG)
    jobs = Jobs(house.services)
    first = await request(house, room, run=True)
    await jobs.run_due()
    await request(house, room)
    await jobs.run_due()
    await jobs.stop()
    async with house.services.database.read() as session:
        row = await session.get(RoomRow, room.id)
        link = await session.scalar(select(DrawRow.link).where(DrawRow.id == first))
    secret = house.services.keys.unseal(row.draw_secret, aad=room.id.encode())
    file = Path(make_url(database_url).database)
    stored = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    assert link.encode() in stored  # what is public is found this way
    for hidden in (secret, fair.link(secret, 2), fair.link(secret, 3)):
        for written in (hidden, hidden.hex().encode()):
            assert written not in stored
            assert written.decode("latin-1") not in caplog.text


async def test_a_stopped_runner_gives_its_work_back_at_once(house, room):
    jobs = Jobs(house.services, poll=0.05)
    draw_id = await request(house, room, run=True)
    jobs.start()
    await asyncio.sleep(0)
    await jobs.stop()
    again = Jobs(house.services)
    await again.run_due()
    await until(house.services.database, draw_id, DrawStatus.REVEALED)
    await again.stop()


async def test_a_draw_that_breaks_the_host_is_held_and_lets_others_pass(house, room):
    broken = await house.start("drawer")
    await house.guests(broken, 4)
    first, second = await request(house, broken), await request(house, room, run=True)
    async with house.services.database.write() as unit:
        # A row that is always there is gone, as after a repair by hand.
        await unit.session.execute(delete(RoomStateRow).where(RoomStateRow.room_id == broken.id))

    await Jobs(house.services).run_due()

    async with house.services.database.read() as session:
        held = await session.get_one(DrawRow, first)
        assert (held.status, held.held_code) == (DrawStatus.REQUESTED, "HOST_FAILED")
        assert (await session.get_one(DrawRow, second)).status is DrawStatus.REVEALED


async def test_a_host_that_has_not_heard_of_the_app_yet_holds_no_draw(house, room):
    draw_id = await request(house, room)
    await Jobs(replace(house.services, catalog=Catalog((), ()))).run_due()
    async with house.services.database.write() as unit:
        draw = await unit.session.get_one(DrawRow, draw_id)
        assert (draw.status, draw.held_code) == (DrawStatus.REQUESTED, None)
        assert draw.lease is not None
        draw.lease = draw.lease_until = None  # it rests for a moment
    await Jobs(house.services).run_due()
    await until(house.services.database, draw_id, DrawStatus.COMMITTED)
