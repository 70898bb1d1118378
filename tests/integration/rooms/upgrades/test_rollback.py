"""A room goes back to the lock before, with what it had there."""

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from mymozhem.audit.tables import AuditRow
from mymozhem.contract import RoomStatus
from mymozhem.errors import Conflict, Invalid
from mymozhem.registry.tables import ManifestVersionRow
from mymozhem.rooms.upgrades.preconditions import RoomActive
from mymozhem.rooms.upgrades.procedure import MoveRequest
from mymozhem.rooms.upgrades.rollback import NothingToRollBack, roll_back
from tests.integration.rooms.upgrades.test_upgrade import (
    CARRIES,
    COUNTING,
    OPTIONAL,
    RENAME,
    RENAMED,
)
from tests.support.apps.versioned_app import VersionedApp


@pytest.fixture(autouse=True)
def quiet():
    with capture_logs():
        yield


async def back(versioned_host, room, **wishes):
    services = versioned_host.host.services
    return await roll_back(services, room.id, versioned_host.host.organizer, MoveRequest(**wishes))


async def test_a_draft_goes_back_with_its_settings_and_its_state(versioned_host):
    room = await versioned_host.room({"title": "Gala"}, {"public": {"count": 4}})
    app = await versioned_host.install(
        VersionedApp("2.0.0", RENAMED, state=COUNTING, migrations=[RENAME], capabilities=[CARRIES])
    )
    app.migrate = lambda _, request: {
        "settings": request.settings,
        "state": {"public": {"total": 4}},
    }
    await versioned_host.upgrade(room, "2.0.0")
    await versioned_host.host.change(room.id, settings={"limit": 8})

    before = await versioned_host.all_of(room)
    planned = await back(versioned_host, room, dry_run=True)
    assert planned.plan.allowed
    assert await versioned_host.all_of(room) == before

    moved = await back(versioned_host, room)
    now = await versioned_host.now(room)
    assert moved.moved
    assert (now.app_manifest_version, now.app_settings) == ("1.0.0", {"title": "Gala", "limit": 3})
    assert (await versioned_host.state(room))["public"] == {"count": 4}
    first, _, third = await versioned_host.locks(room)
    assert (third.reason, third.lock, third.digest) == ("rollback", first.lock, first.digest)
    events = await versioned_host.host.events(room.id, "room:version_changed")
    assert [each.payload["how"] for each in events] == ["assisted", "rollback"]
    assert await versioned_host.host.count(AuditRow, action="room.rollback") == 1
    assert (await versioned_host.replayed(room)).state["public"] == {"count": 4}


async def test_going_back_twice_returns_to_where_the_room_was(versioned_host):
    room = await versioned_host.room({"title": "Gala"})
    await versioned_host.install(VersionedApp("2.0.0", RENAMED, migrations=[RENAME]))
    await versioned_host.upgrade(room, "2.0.0")
    await versioned_host.host.change(room.id, settings={"limit": 8})
    for version, settings in [
        ("1.0.0", {"title": "Gala", "limit": 3}),
        ("2.0.0", {"name": "Gala", "limit": 8}),
        ("1.0.0", {"title": "Gala", "limit": 3}),
    ]:
        await back(versioned_host, room)
        now = await versioned_host.now(room)
        assert (now.app_manifest_version, now.app_settings) == (version, settings)
    assert len(await versioned_host.locks(room)) == 5


async def test_a_running_room_keeps_its_state_where_the_old_version_takes_it(versioned_host):
    room = await versioned_host.room({}, {"public": {"count": 1}})
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    await versioned_host.upgrade(room, "1.1.0")
    await versioned_host.host.change(room.id, status=RoomStatus.ACTIVE)
    effects = [{"effect": "setState", "public": {"count": 9}}]
    await versioned_host.host.act(room, "do", {"effects": effects})
    await back(versioned_host, room)
    assert (await versioned_host.now(room)).app_manifest_version == "1.0.0"
    assert (await versioned_host.state(room))["public"] == {"count": 9}


async def test_a_running_room_stays_where_the_old_version_cannot_take_its_state(versioned_host):
    await versioned_host.install(VersionedApp("2.0.0", state=COUNTING))
    room = await versioned_host.room({}, {"public": {"total": 1}})
    app = await versioned_host.install(VersionedApp("3.0.0", RENAMED, migrations=[
        RENAME | {"from": ">=2,<3", "to": "3.0.0"}
    ], capabilities=[CARRIES]))  # fmt: skip
    app.migrate = lambda _, request: {
        "settings": request.settings,
        "state": {"public": {"n": 1}},
    }
    await versioned_host.upgrade(room, "3.0.0")
    await versioned_host.host.change(room.id, status=RoomStatus.ACTIVE)
    before = await versioned_host.all_of(room)
    with pytest.raises(RoomActive) as refused:
        await back(versioned_host, room)
    assert refused.value.details == {"why": ["NOT_AUTOMATIC"]}
    planned = await back(versioned_host, room, dry_run=True)
    assert [each.code for each in planned.plan.refusals] == ["ROOM_ACTIVE", "MIGRATION_REQUIRED"]
    assert await versioned_host.all_of(room) == before


async def test_a_room_that_was_never_moved_has_nothing_to_go_back_to(versioned_host):
    room = await versioned_host.room()
    with pytest.raises(NothingToRollBack) as refused:
        await back(versioned_host, room)
    assert (refused.value.status, refused.value.code) == (409, "NOTHING_TO_ROLL_BACK")


async def test_the_old_version_must_be_served(versioned_host):
    room = await versioned_host.room()
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL, serves="==1.1.0"))
    await versioned_host.upgrade(room, "1.1.0")
    with pytest.raises(Invalid) as refused:
        await back(versioned_host, room)
    assert refused.value.code == "APP_NOT_SERVED"


async def test_a_deprecated_version_is_gone_back_to_and_not_moved_to(versioned_host):
    room = await versioned_host.room()
    app = await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    await versioned_host.upgrade(room, "1.1.0")
    async with versioned_host.database.write() as unit:
        await unit.session.execute(
            update(ManifestVersionRow)
            .where(ManifestVersionRow.version == "1.0.0")
            .values(deprecated_at=unit.now, reason="It counts wrongly.")
        )
    await versioned_host.install(app)
    with pytest.raises(Conflict) as refused:
        await versioned_host.upgrade(room, "1.0.0")
    assert refused.value.code == "VERSION_DEPRECATED"
    assert "It counts wrongly." in refused.value.message
    assert (await back(versioned_host, room)).moved
