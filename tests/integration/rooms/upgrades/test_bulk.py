"""Many rooms moved by an operator: what is clean is moved, what needs an answer is listed."""

import pytest
from sqlalchemy import func, insert, select
from structlog.testing import capture_logs

from mymozhem.contract import RoomStatus
from mymozhem.db.base import new_id
from mymozhem.errors import Invalid, NotFound
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from mymozhem.rooms.upgrades.bulk import BulkUpgradeRequest, upgrade_rooms
from tests.integration.rooms.upgrades.test_upgrade import OPTIONAL, RENAME, RENAMED
from tests.support.apps.versioned_app import FIRST, VersionedApp, settings_schema

pytestmark = pytest.mark.both_engines

LIMITED = settings_schema(
    **FIRST["properties"] | {"limit": {"type": "integer", "default": 3, "maximum": 5}}
)


@pytest.fixture(autouse=True)
def quiet():
    with capture_logs():
        yield


@pytest.fixture
async def admin(versioned_host):
    return await versioned_host.host.person("admin@example.com", is_admin=True)


async def bulk(versioned_host, admin, source, target, **wishes):
    wish = BulkUpgradeRequest(source=source, target=target, **wishes)
    return await upgrade_rooms(versioned_host.host.services, "shop", admin, wish)


async def versions_of(versioned_host):
    async with versioned_host.database.read() as session:
        query = select(RoomRow.app_manifest_version, func.count()).group_by(
            RoomRow.app_manifest_version
        )
        return {row[0]: row[1] for row in await session.execute(query)}


async def test_clean_rooms_are_counted_then_moved_and_the_others_listed(versioned_host, admin):
    rooms = [await versioned_host.room({"limit": limit}) for limit in (1, 9, 5, 8, 2)]
    await versioned_host.install(VersionedApp("2.0.0", LIMITED))

    planned = await bulk(versioned_host, admin, "1.0.0", "2.0.0", dry_run=True)
    assert planned.summary == "5 rooms: 3 clean, 2 need an answer"
    assert (planned.upgraded, planned.left, planned.last) == (0, 0, None)
    assert await versions_of(versioned_host) == {"1.0.0": 5}

    done = await bulk(versioned_host, admin, "1.0.0", "2.0.0")
    assert (done.summary, done.upgraded) == (planned.summary, 3)
    assert [each.room_id for each in done.listed] == [rooms[1].id, rooms[3].id]
    for each in done.listed:
        assert each.error.code == "MIGRATION_REQUIRED"
        assert [field.pointer for field in each.plan.carried.fields] == ["/limit"]
    assert await versions_of(versioned_host) == {"1.0.0": 2, "2.0.0": 3}

    again = await bulk(versioned_host, admin, "1.0.0", "2.0.0")
    assert (again.summary, again.upgraded) == ("2 rooms: 0 clean, 2 need an answer", 0)


async def test_organizers_are_told_and_can_go_back(versioned_host, admin):
    room = await versioned_host.room()
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    await bulk(versioned_host, admin, "1.0.0", "1.1.0")
    async with versioned_host.database.read() as session:
        [note] = await session.scalars(select(NotificationRow))
    assert (note.user_id, note.room_id) == (versioned_host.host.organizer.user_id, room.id)
    assert "from Shop 1.0.0 to 1.1.0" in note.message
    assert len(await versioned_host.host.events(room.id, "notification:sent")) == 1


async def test_steps_move_drafts_and_running_rooms_are_counted_separately(versioned_host, admin):
    draft, running, ended = [await versioned_host.room() for _ in range(3)]
    await versioned_host.host.change(running.id, status=RoomStatus.ACTIVE)
    await versioned_host.host.change(ended.id, status=RoomStatus.CANCELLED)
    await versioned_host.install(VersionedApp("2.0.0", RENAMED, migrations=[RENAME]))
    done = await bulk(versioned_host, admin, ">=1,<2", "2.0.0")
    assert done.summary == "2 rooms: 1 clean, 0 need an answer, 1 runs and cannot be moved now"
    assert (done.need_answer, done.active) == (0, 1)
    assert [(each.room_id, each.error.code) for each in done.listed] == [
        (running.id, "ROOM_ACTIVE")
    ]
    assert (await versioned_host.now(draft)).app_manifest_version == "2.0.0"
    assert (await versioned_host.now(ended)).app_manifest_version == "1.0.0"


async def test_what_needs_consent_is_listed_unless_it_is_given(versioned_host, admin):
    await versioned_host.room()
    shown = FIRST["properties"]["limit"] | {"x-visibility": "public"}
    await versioned_host.install(
        VersionedApp("2.0.0", settings_schema(**FIRST["properties"] | {"limit": shown}))
    )
    asked = await bulk(versioned_host, admin, "1.0.0", "2.0.0")
    assert [each.error.code for each in asked.listed] == ["CONSENT_REQUIRED"]
    assert (await bulk(versioned_host, admin, "1.0.0", "2.0.0", consent=True)).upgraded == 1


async def test_steps_that_show_what_was_hidden_need_consent_like_a_looser_visibility(
    versioned_host, admin
):
    room = await versioned_host.room({"title": "Gala"})
    motto = {"type": "string", "default": "", "x-visibility": "public"}
    copied = {
        "from": "<1.1.0",
        "to": "1.1.0",
        "steps": [{"op": "copy", "from": "/title", "path": "/motto"}],
    }
    wider = settings_schema(**FIRST["properties"], motto=motto)
    await versioned_host.install(VersionedApp("1.1.0", wider, migrations=[copied]))

    asked = await bulk(versioned_host, admin, "1.0.0", "1.1.0")
    assert [each.error.code for each in asked.listed] == ["CONSENT_REQUIRED"]
    [told] = asked.listed[0].error.details["consents"]
    assert (told["pointer"], told["code"]) == ("/migrations", "VISIBILITY_LOOSER")
    assert "/title" in told["message"]
    assert "/motto" in told["message"]
    assert (await bulk(versioned_host, admin, "1.0.0", "1.1.0", consent=True)).upgraded == 1
    assert (await versioned_host.now(room)).app_settings["motto"] == "Gala"


async def test_a_range_takes_rooms_below_the_target_alone(versioned_host, admin):
    old = await versioned_host.room()
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    middle = await versioned_host.room()
    await versioned_host.install(VersionedApp("1.2.0", OPTIONAL))
    newest = await versioned_host.room()
    done = await bulk(versioned_host, admin, ">=1", "1.1.0")
    assert (done.rooms, done.upgraded) == (1, 1)
    rooms = [await versioned_host.now(room) for room in (old, middle, newest)]
    assert [room.app_manifest_version for room in rooms] == ["1.1.0", "1.1.0", "1.2.0"]


async def test_a_version_above_the_target_is_left_alone_too(versioned_host, admin):
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    newest = await versioned_host.room()
    assert (await bulk(versioned_host, admin, "1.1.0", "1.0.0")).rooms == 0
    assert (await versioned_host.now(newest)).app_manifest_version == "1.1.0"


async def test_what_is_left_is_gone_on_with(versioned_host, admin):
    rooms = [await versioned_host.room({"limit": limit}) for limit in (9, 1, 9, 1)]
    await versioned_host.install(VersionedApp("2.0.0", LIMITED))
    first = await bulk(versioned_host, admin, "1.0.0", "2.0.0", most=3)
    assert (first.rooms, first.clean, first.left, first.last) == (3, 1, 1, rooms[2].id)
    second = await bulk(versioned_host, admin, "1.0.0", "2.0.0", most=3, after=first.last)
    assert (second.rooms, second.clean, second.left, second.last) == (1, 1, 0, None)
    assert await versions_of(versioned_host) == {"1.0.0": 2, "2.0.0": 2}


async def test_an_app_a_version_or_a_range_that_there_is_not_is_refused(versioned_host, admin):
    with pytest.raises(NotFound):
        await bulk(versioned_host, admin, "1.0.0", "9.9.9")
    with pytest.raises(Invalid):
        await bulk(versioned_host, admin, "newest", "1.0.0")


async def test_hundreds_of_rooms_are_moved_request_by_request(versioned_host, admin):
    room = await versioned_host.room()
    await copies(versioned_host, room, 199)
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    moved, after = 0, None
    while True:
        done = await bulk(versioned_host, admin, "1.0.0", "1.1.0", after=after, most=90)
        moved, after = moved + done.upgraded, done.last
        if not done.left:
            break
    assert moved == 200
    assert await versions_of(versioned_host) == {"1.1.0": 200}


async def copies(versioned_host, room, count):
    """Write copies of a room as they would be stored, each with its lock, state and organizer."""
    async with versioned_host.database.write() as unit:
        session = unit.session
        lock = await session.get_one(RoomLockRow, room.lock_id)
        state = await session.get_one(RoomStateRow, room.id)
        seat = (await session.scalars(select(ParticipantRow))).one()
        for number in range(count):
            room_id, lock_id = new_id("room"), new_id("lock")
            own = {"id": room_id, "code": f"C{number:07}", "lock_id": lock_id}
            await session.execute(insert(RoomRow).values(**_values(room) | own))
            of_room = {"room_id": room_id}
            await session.execute(
                insert(RoomLockRow).values(**_values(lock) | of_room | {"id": lock_id})
            )
            await session.execute(insert(RoomStateRow).values(**_values(state) | of_room))
            await session.execute(
                insert(ParticipantRow).values(**_values(seat) | of_room | {"id": new_id("part")})
            )


def _values(row):
    return {each.key: getattr(row, each.key) for each in row.__mapper__.column_attrs}
