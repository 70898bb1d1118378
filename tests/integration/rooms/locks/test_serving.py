"""Who answers for rooms is noted when it changes, and told where that matters."""

import pytest
from structlog.testing import capture_logs

from mymozhem.contract import RoomStatus
from mymozhem.rooms.locks.serving import ServingRecorder
from tests.integration.rooms.locks.hosts import Newer, lock_of, records, released, started, titles
from tests.support.apps.draw_app import DrawApp
from tests.support.host import make_host

pytestmark = pytest.mark.both_engines

GONE, BACK = "The app of this room is gone", "The app of this room is back"


@pytest.fixture
async def host(database, clock, tmp_path):
    host = await make_host(database, clock, tmp_path, {"drawer": DrawApp()})
    yield host
    await host.services.dispatcher.close()


async def test_of_rooms_that_their_lock_s_own_target_serves_nothing_is_noted(host):
    room = await host.room("drawer")
    assert await ServingRecorder(host.services).note() == []
    seen = await lock_of(host, host.services, room.id)
    assert (seen.orphaned, seen.drift) == (False, [])
    assert seen.served_by.as_locked
    assert seen.served_by.target == seen.lock["target"]
    assert seen.served_by.since == seen.created_at
    assert [each.digest for each in seen.history] == [seen.digest]
    assert await records(host.services, room.id) == []


async def test_newer_code_that_serves_the_version_is_noted_once_and_the_lock_stays(host, clock):
    room = await host.start("drawer")
    before = await lock_of(host, host.services, room.id)
    clock.advance(60)
    newer = await started(host.services, released(Newer(), "1.1.0"))
    served = ServingRecorder(newer)
    await served.note()
    await served.note()
    await ServingRecorder(newer).note()  # the next start
    seen = await lock_of(host, newer, room.id)
    assert (seen.lock, seen.digest) == (before.lock, before.digest)
    assert not seen.served_by.as_locked
    assert seen.served_by.target["version"] == "1.1.0"
    assert seen.served_by.since == clock.now()
    assert await records(newer, room.id) == ["1.1.0"]
    assert await titles(newer, room.id) == []
    await ServingRecorder(host.services).note()  # the old package again
    back = await lock_of(host, host.services, room.id)
    assert back.served_by.as_locked
    assert [each.target["version"] for each in back.served_by.records] == ["1.1.0", "1.0.0"]


async def test_who_runs_a_room_is_told_that_its_app_is_gone_and_that_it_is_back(host):
    room = await host.start("drawer")
    await host.guest(room)
    over = await host.start("drawer")
    await host.change(over.id, status=RoomStatus.COMPLETED)
    without = await started(host.services)
    (orphans,) = await ServingRecorder(without).note()
    assert (orphans.rooms, orphans.active, orphans.locked.version) == (1, 1, "1.0.0")
    seen = await lock_of(host, without, room.id)
    assert (seen.orphaned, seen.served_by.target) == (True, None)
    assert await titles(without, room.id) == [GONE]
    await ServingRecorder(without).note()
    assert await titles(without, room.id) == [GONE]
    await ServingRecorder(await started(without, released(Newer(), "1.1.0"))).note()
    assert await titles(without, room.id) == [GONE, BACK]
    assert await records(without, room.id) == [None, "1.1.0"]
    assert await records(without, over.id) == []


async def test_the_log_says_what_happened_to_rooms_in_words(host):
    await host.start("drawer")
    with capture_logs() as logged:
        without = await started(host.services)
        await ServingRecorder(without).note()
        await ServingRecorder(await started(without, released(Newer(), "1.1.0"))).note()
    told = [each for each in logged if each["event"].startswith("rooms are")]
    assert [(each["event"], each["log_level"]) for each in told] == [
        ("rooms are recorded as orphaned", "info"), ("rooms are served again", "info"),
    ]  # fmt: skip
    assert "by" not in told[0]
    assert told[1]["by"].endswith("1.1.0 inside the host")


async def test_hosts_that_see_different_things_do_not_contradict_each_other_for_ever(host):
    room = await host.start("drawer")
    one = ServingRecorder(host.services)
    other = ServingRecorder(await started(host.services))
    for _ in range(3):
        await one.note()
        await other.note()
    assert await records(host.services, room.id) == [None]
    assert await titles(host.services, room.id) == [GONE]


async def test_many_rooms_are_noted_batch_by_batch(host):
    rooms = [await host.room("drawer") for _ in range(5)]
    newer = await started(host.services, released(Newer(), "1.1.0"))
    await ServingRecorder(newer, at_once=2).note()
    without = await started(host.services)
    await ServingRecorder(without, at_once=2).note()
    for room in rooms:
        assert await records(newer, room.id) == ["1.1.0", None]
        assert await titles(newer, room.id) == [GONE]
