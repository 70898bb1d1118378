"""A running room is moved where nothing is in the way; what waits goes on in the new version."""

import json

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from mymozhem.contract import DrawStatus, PrizeCount, RoomStatus, fair
from mymozhem.errors import Conflict
from mymozhem.rooms import timers
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import record
from mymozhem.rooms.tables.pending_calls import QueuedCallRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.timers import TimerRow, TimerSpace
from mymozhem.rooms.upgrades.migrate import Strategy
from mymozhem.rooms.upgrades.preconditions import RoomActive
from mymozhem.rooms.windows import commands as window_commands
from tests.integration.rooms.upgrades.test_upgrade import OPTIONAL, RENAME, RENAMED
from tests.support.apps.versioned_app import FIRST, VersionedApp, settings_schema
from tests.support.apps.window_app import opening


@pytest.fixture(autouse=True)
def quiet():
    with capture_logs():
        yield


async def a_running_room(versioned_host):
    room = await versioned_host.room()
    await versioned_host.host.change(room.id, status=RoomStatus.ACTIVE)
    return await versioned_host.now(room)


async def do(versioned_host, room, *effects):
    await versioned_host.host.act(room, "do", {"effects": list(effects)})


async def a_draw(versioned_host, room, *, run=False):
    prize = await versioned_host.host.prize(room, 2)
    await versioned_host.host.guest(room, "Ada")
    wish = DrawRequest(prizes=(PrizeCount(prize_id=prize, count=1),), run=run)
    async with room_transaction(versioned_host.host.services, room.id) as transaction:
        return await commands.request(transaction, wish)


async def test_a_running_room_is_moved_where_everything_fits(versioned_host):
    room = await a_running_room(versioned_host)
    app = await versioned_host.install(
        VersionedApp("1.1.0", OPTIONAL, capabilities=["settingsValidation"])
    )
    moved = await versioned_host.upgrade(room, "1.1.0")
    assert (moved.moved, moved.plan.strategy) == (True, Strategy.AUTOMATIC)
    now = await versioned_host.now(room)
    assert (now.status, now.app_settings["colour"]) == (RoomStatus.ACTIVE, "red")
    assert app.was_asked("validate")[-1][1].purpose == "activate"


async def test_a_running_room_whose_settings_would_be_changed_stays(versioned_host):
    room = await a_running_room(versioned_host)
    await versioned_host.install(VersionedApp("2.0.0", RENAMED, migrations=[RENAME]))
    plan = await versioned_host.plan(room, "2.0.0")
    assert [(each.code, each.details["why"]) for each in plan.refusals] == [
        ("ROOM_ACTIVE", ["NOT_AUTOMATIC"])
    ]
    with pytest.raises(RoomActive):
        await versioned_host.upgrade(room, "2.0.0")
    assert (await versioned_host.now(room)).app_manifest_version == "1.0.0"


async def test_a_room_with_an_open_window_is_moved_once_that_is_over(versioned_host):
    room = await a_running_room(versioned_host)
    await do(versioned_host, room, opening())
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    with pytest.raises(RoomActive) as refused:
        await versioned_host.upgrade(room, "1.1.0")
    assert refused.value.details == {"why": ["WINDOW_OPEN"]}
    await window_commands.pause(
        versioned_host.host.services, room.id, versioned_host.host.organizer, "w"
    )
    with pytest.raises(RoomActive):
        await versioned_host.upgrade(room, "1.1.0")
    await window_commands.close(
        versioned_host.host.services, room.id, versioned_host.host.organizer, "w"
    )
    with pytest.raises(RoomActive):  # it is being tallied
        await versioned_host.upgrade(room, "1.1.0")
    await versioned_host.work()
    assert (await versioned_host.upgrade(room, "1.1.0")).moved


async def test_a_room_in_the_middle_of_a_draw_is_moved_once_that_is_over(versioned_host):
    room = await a_running_room(versioned_host)
    draw = await a_draw(versioned_host, room)
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    for status in (DrawStatus.REQUESTED, DrawStatus.COMMITTED):
        async with room_transaction(versioned_host.host.services, room.id) as transaction:
            assert (await commands.by_id(transaction, draw.id)).status is status
        with pytest.raises(RoomActive) as refused:
            await versioned_host.upgrade(room, "1.1.0")
        assert refused.value.details == {"why": ["DRAW_OPEN"]}
        await versioned_host.work()
    async with room_transaction(versioned_host.host.services, room.id) as transaction:
        await commands.run(transaction, await commands.by_id(transaction, draw.id))
    await versioned_host.work()
    assert (await versioned_host.upgrade(room, "1.1.0")).moved


async def test_a_draw_after_a_move_has_the_new_lock_and_earlier_records_still_verify(
    versioned_host,
):
    room = await a_running_room(versioned_host)
    before = await a_draw(versioned_host, room, run=True)
    await versioned_host.work()
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    moved = await versioned_host.upgrade(room, "1.1.0")
    after = await a_draw(versioned_host, room, run=True)
    await versioned_host.work()

    services = versioned_host.host.services
    records = [json.loads(await record(services, room.id, each.id)) for each in (before, after)]
    first = (await versioned_host.locks(room))[0]
    assert [each["rule"]["lockDigest"] for each in records] == [first.digest, moved.lock]
    assert [each["rule"]["app"]["version"] for each in records] == ["1.0.0", "1.1.0"]
    assert all(fair.verify(each).ok for each in records)


async def test_a_room_that_has_ended_keeps_its_version(versioned_host):
    room = await a_running_room(versioned_host)
    await versioned_host.host.change(room.id, status=RoomStatus.COMPLETED)
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    with pytest.raises(Conflict) as refused:
        await versioned_host.upgrade(room, "1.1.0")
    assert refused.value.code == "ROOM_ENDED"


async def test_a_timer_is_kept_and_fires_in_the_new_version(versioned_host):
    room = await a_running_room(versioned_host)
    async with room_transaction(versioned_host.host.services, room.id) as transaction:
        await timers.schedule(transaction, "of-old", after_ms=1_000, payload={"n": 1})
    app = await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    await versioned_host.upgrade(room, "1.1.0")
    versioned_host.clock.advance(1)
    await versioned_host.work()
    [(context, request)] = app.was_asked("of-old")
    assert (context.app.version, request.payload) == ("1.1.0", {"n": 1})


async def test_what_waits_for_an_app_that_is_gone_is_asked_of_the_new_version(versioned_host):
    room = await a_running_room(versioned_host)
    await versioned_host.work()
    async with room_transaction(versioned_host.host.services, room.id) as transaction:
        await timers.schedule(transaction, "waits", after_ms=0, payload={})
    app = await versioned_host.install(VersionedApp("1.1.0", OPTIONAL, serves="==1.1.0"))
    await versioned_host.work()
    assert await versioned_host.host.count(QueuedCallRow) == 1
    assert app.was_asked("waits") == []

    await versioned_host.upgrade(room, "1.1.0")
    assert await versioned_host.host.count(QueuedCallRow) == 0
    await versioned_host.work()
    [(context, _)] = app.was_asked("waits")
    assert context.app.version == "1.1.0"
    assert await versioned_host.host.count(TimerRow) == 0


async def test_changes_that_the_new_version_does_not_ask_for_are_dropped(versioned_host):
    room = await versioned_host.room()
    await versioned_host.host.change(room.id, settings={"limit": 5})
    assert await versioned_host.host.count(TimerRow, space=TimerSpace.CHANGE) == 1
    app = await versioned_host.install(VersionedApp("1.1.0", OPTIONAL, changes=["prize"]))
    await versioned_host.upgrade(room, "1.1.0")
    assert await versioned_host.host.count(TimerRow) == 0
    await versioned_host.host.prize(room)
    await versioned_host.work()
    assert app.was_asked("settings") == []
    assert len(app.was_asked("prize")) == 1


async def test_what_served_the_room_is_forgotten_with_its_old_lock(versioned_host):
    room = await versioned_host.room()
    async with versioned_host.database.write() as unit:
        await unit.session.execute(
            update(RoomRow).where(RoomRow.id == room.id).values(served_target="f" * 64)
        )
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    await versioned_host.upgrade(room, "1.1.0")
    async with versioned_host.database.read() as session:
        assert await session.scalar(select(RoomRow.served_target)) is None


async def test_a_room_can_have_less_permissions_and_other_actions_at_once(versioned_host):
    room = await versioned_host.room()
    schema = settings_schema(**FIRST["properties"])
    actions = {"other": {"when": ["DRAFT"]}}
    await versioned_host.install(VersionedApp("2.0.0", schema, actions=actions))
    await versioned_host.upgrade(room, "2.0.0")
    await versioned_host.host.act(room, "other")
    with pytest.raises(Exception, match="do"):
        await versioned_host.host.act(room, "do")
