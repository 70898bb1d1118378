"""A room whose app is gone stays readable, nobody waits on it, and all goes on when it is back."""

from datetime import timedelta

import pytest

from mymozhem.contract import DrawStatus, Level, PrizeCount, RoomStatus
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.errors import Invalid, Unavailable
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms import timers
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import find_draw, record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.timers import TimerRow
from mymozhem.rooms.views.snapshot import snapshot
from tests.support.apps.draw_app import DrawApp
from tests.support.host import loaded, make_host


class Listening(DrawApp):
    changes = ("joined", "winner")


async def restarted(services, *codes):
    """Return the services of the next start, with these apps enabled."""
    async with services.database.read() as session:
        catalog = Catalog(codes, await manifest_history.versions(session))
    dispatcher = Dispatcher(catalog, services.clock, services.settings)
    return Services(
        services.database, catalog, dispatcher, services.keys, services.clock, services.settings
    )


@pytest.fixture
async def host(database, clock, tmp_path):
    host = await make_host(database, clock, tmp_path, {"drawer": Listening()})
    yield host
    await host.services.dispatcher.close()


async def test_without_its_app_a_running_room_is_read_and_its_timers_wait(host, clock):
    room = await host.start("drawer")
    prize = await host.prize(room)
    async with room_transaction(host.services, room.id) as transaction:
        await timers.schedule(transaction, "soon", after_ms=0, payload={})
    host.services = await restarted(host.services)
    jobs = Jobs(host.services)
    await jobs.run_due()
    async with host.services.database.read() as session:
        seat = await find_membership(session, room.id, host.organizer)
        await snapshot(session, seat, now=clock.now())
    assert seat.room.status is RoomStatus.ACTIVE
    with pytest.raises(Unavailable) as failed:
        await perform(host.services, room.id, host.organizer, "do", {})
    assert failed.value.code == "APP_ORPHANED"
    await host.guest(room)
    with pytest.raises(Invalid):
        await host.room("drawer")
    wish = DrawRequest(prizes=(PrizeCount(prize_id=prize, count=1),), run=True)
    async with room_transaction(host.services, room.id) as transaction:
        draw = await commands.request(transaction, wish)
    await jobs.run_due()
    async with host.services.database.read() as session:
        held = await find_draw(session, room.id, draw.id, level=Level.ORGANIZER)
    assert (held.status, held.held_code) == (DrawStatus.REQUESTED, "APP_ORPHANED")
    assert await host.count(TimerRow) == 2
    host.services = await restarted(host.services, loaded(Listening(), "drawer"))
    clock.advance(timedelta(hours=1))
    async with room_transaction(host.services, room.id) as transaction:
        row = await commands.by_id(transaction, draw.id)
        await commands.retry(transaction, row, platform=False)
    await Jobs(host.services).run_due()
    assert await host.count(TimerRow) == 0
    assert [event.payload for event in await host.events(room.id, "drawer:said")] == [
        {"text": "soon"}
    ]
    assert b"drawer" in await record(host.services, room.id, draw.id)


async def test_without_its_app_a_committed_draw_goes_on_and_the_room_can_end(host):
    room = await host.start("drawer")
    prize = await host.prize(room)
    await host.guest(room)
    wish = DrawRequest(prizes=(PrizeCount(prize_id=prize, count=1),))
    async with room_transaction(host.services, room.id) as transaction:
        draw = await commands.request(transaction, wish)
    await Jobs(host.services).run_due()
    host.services = await restarted(host.services)
    async with room_transaction(host.services, room.id) as transaction:
        await commands.run(transaction, await commands.by_id(transaction, draw.id))
    await Jobs(host.services).run_due()
    assert b"picks" in await record(host.services, room.id, draw.id)
    ended = await host.change(room.id, status=RoomStatus.COMPLETED)
    assert ended.status is RoomStatus.COMPLETED
