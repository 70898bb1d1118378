"""Who answers for rooms is noted when it changes, and told where that matters."""

import pytest

from mymozhem.contract import RoomStatus
from mymozhem.rooms.locks.serving import Served
from tests.integration.rooms.locks.hosts import Newer, lock_of, records, released, started, titles
from tests.support.apps.draw_app import Drawer
from tests.support.host import make_house

pytestmark = pytest.mark.both_engines

GONE, BACK = "The app of this room is gone", "The app of this room is back"


@pytest.fixture
async def house(database, clock, tmp_path):
    house = await make_house(database, clock, tmp_path, {"drawer": Drawer()})
    yield house
    await house.services.dispatcher.close()


async def test_of_rooms_that_their_lock_s_own_target_serves_nothing_is_noted(house):
    room = await house.room("drawer")
    assert await Served(house.services).note() == []
    seen = await lock_of(house, house.services, room.id)
    assert (seen.orphaned, seen.drift) == (False, [])
    assert seen.served_by.as_locked
    assert seen.served_by.target == seen.lock["target"]
    assert seen.served_by.since == seen.created_at
    assert [each.digest for each in seen.history] == [seen.digest]
    assert await records(house.services, room.id) == []


async def test_newer_code_that_serves_the_version_is_noted_once_and_the_lock_stays(house, clock):
    room = await house.start("drawer")
    before = await lock_of(house, house.services, room.id)
    clock.advance(60)
    newer = await started(house.services, released(Newer(), "1.1.0"))
    served = Served(newer)
    await served.note()
    await served.note()
    await Served(newer).note()  # the next start
    seen = await lock_of(house, newer, room.id)
    assert (seen.lock, seen.digest) == (before.lock, before.digest)
    assert not seen.served_by.as_locked
    assert seen.served_by.target["version"] == "1.1.0"
    assert seen.served_by.since == clock.now()
    assert await records(newer, room.id) == ["1.1.0"]
    assert await titles(newer, room.id) == []
    await Served(house.services).note()  # the old package again
    back = await lock_of(house, house.services, room.id)
    assert back.served_by.as_locked
    assert [each.target["version"] for each in back.served_by.records] == ["1.1.0", "1.0.0"]


async def test_who_runs_a_room_is_told_that_its_app_is_gone_and_that_it_is_back(house):
    room = await house.start("drawer")
    await house.guest(room)
    over = await house.start("drawer")
    await house.change(over.id, status=RoomStatus.COMPLETED)
    without = await started(house.services)
    (orphans,) = await Served(without).note()
    assert (orphans.rooms, orphans.active, orphans.locked.version) == (1, 1, "1.0.0")
    seen = await lock_of(house, without, room.id)
    assert (seen.orphaned, seen.served_by.target) == (True, None)
    assert await titles(without, room.id) == [GONE]
    await Served(without).note()
    assert await titles(without, room.id) == [GONE]
    await Served(await started(without, released(Newer(), "1.1.0"))).note()
    assert await titles(without, room.id) == [GONE, BACK]
    assert await records(without, room.id) == [None, "1.1.0"]
    assert await records(without, over.id) == []


async def test_hosts_that_see_different_things_do_not_contradict_each_other_for_ever(house):
    room = await house.start("drawer")
    one = Served(house.services)
    other = Served(await started(house.services))
    for _ in range(3):
        await one.note()
        await other.note()
    assert await records(house.services, room.id) == [None]
    assert await titles(house.services, room.id) == [GONE]


async def test_many_rooms_are_noted_batch_by_batch(house):
    rooms = [await house.room("drawer") for _ in range(5)]
    newer = await started(house.services, released(Newer(), "1.1.0"))
    await Served(newer, at_once=2).note()
    without = await started(house.services)
    await Served(without, at_once=2).note()
    for room in rooms:
        assert await records(newer, room.id) == ["1.1.0", None]
        assert await titles(newer, room.id) == [GONE]
