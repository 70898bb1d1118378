"""A room from its creation to its end."""

import pytest
from sqlalchemy import select

from mymozhem.contract import RoomStatus
from mymozhem.contract.canonical_json import digest
from mymozhem.errors import Conflict, Forbidden, Invalid, NotFound
from mymozhem.rooms.app_settings.update import SettingsFrozen
from mymozhem.rooms.core.revision import RoomChanged
from mymozhem.rooms.lifecycle.create import NewRoom, copy_room, create_room
from mymozhem.rooms.lifecycle.update import (
    NEXT,
    RoomChanges,
    StatusRefused,
    change_room,
    delete_room,
)
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.prizes import PrizeRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.timers import TimerRow
from tests.support.host import HostHarness, principal


async def test_a_new_room_is_complete_locked_and_anchored(host: HostHarness) -> None:
    room = await host.room("bazaar", settings={"limit": 5})

    assert room.status == RoomStatus.DRAFT
    assert room.app_settings == {"limit": 5, "banner": "", "secret": "s3cret"}
    assert room.app_manifest_version == "1.0.0"
    assert len(bytes.fromhex(room.draw_anchor)) == 32
    async with host.services.database.read() as session:
        lock = (await session.scalars(select(RoomLockRow))).one()
    assert lock.id == room.lock_id
    assert lock.digest == digest(lock.lock)
    manifest = host.services.catalog.manifest("bazaar", "1.0.0")
    assert lock.lock["manifestDigest"] == manifest.digest
    assert lock.lock["target"]["distribution"] == "test-bazaar"


async def test_settings_that_break_the_schema_are_named_by_field(host: HostHarness) -> None:
    with pytest.raises(Invalid) as caught:
        await host.room("bazaar", settings={"limit": 0, "unknown": 1})
    assert "/appSettings/limit" in caught.value.details["fields"]
    assert await host.count(RoomRow) == 0


async def test_an_app_that_is_not_there_cannot_be_picked(host: HostHarness) -> None:
    with pytest.raises(NotFound):
        await host.room("nowhere")


async def test_guests_cannot_create_rooms(host: HostHarness) -> None:
    guest = await host.guest(await host.start("bazaar"))
    with pytest.raises(Forbidden):
        await create_room(host.services, principal(guest), NewRoom(name="Mine", app_id="bazaar"))


@pytest.mark.parametrize("status", list(RoomStatus))
@pytest.mark.parametrize("wanted", list(RoomStatus))
async def test_status_moves_only_along_the_state_machine(
    host: HostHarness, status: RoomStatus, wanted: RoomStatus
) -> None:
    room = await host.room("bazaar")
    if status is not RoomStatus.DRAFT:
        await host.change(room.id, status=RoomStatus.ACTIVE)
    if status in (RoomStatus.COMPLETED, RoomStatus.CANCELLED):
        await host.change(room.id, status=status)

    if wanted is status or wanted in NEXT[status]:
        assert (await host.change(room.id, status=wanted)).status == wanted
    else:
        with pytest.raises(StatusRefused):
            await host.change(room.id, status=wanted)


async def test_the_app_can_stop_a_start(host: HostHarness) -> None:
    room = await host.room("bazaar", settings={"limit": 99})
    with pytest.raises(Invalid) as caught:
        await host.change(room.id, status=RoomStatus.ACTIVE)
    assert caught.value.details["fields"] == {"/appSettings/limit": ["Nobody can start with 99."]}


async def test_settings_freeze_with_the_start_save_live_ones(host: HostHarness) -> None:
    room = await host.start("bazaar")
    with pytest.raises(SettingsFrozen) as caught:
        await host.change(room.id, settings={"limit": 4})
    assert caught.value.details["settings"] == ["/limit"]

    changed = await host.change(room.id, settings={"banner": "Soup is ready"})
    assert changed.app_settings["banner"] == "Soup is ready"
    (event,) = await host.events(room.id, "room:updated")
    assert event.payload == {"fields": ["appSettings/banner"]}
    assert event.stream == "organizer"


async def test_a_change_of_what_somebody_else_changed_is_refused(host: HostHarness) -> None:
    room = await host.room("bazaar")
    changed = await host.change(room.id, fields={"name": "Gala"}, expected=room.version)
    assert changed.version == room.version + 1
    with pytest.raises(RoomChanged):
        await host.change(room.id, fields={"name": "Ball"}, expected=room.version)


async def test_only_organizers_change_a_room(host: HostHarness) -> None:
    room = await host.start("bazaar")
    guest = principal(await host.guest(room))
    with pytest.raises(Forbidden):
        await change_room(host.services, room.id, guest, RoomChanges(fields={"name": "Mine"}))
    stranger = await host.person("stranger@example.com")
    with pytest.raises(NotFound):
        await change_room(host.services, room.id, stranger, RoomChanges(fields={"name": "Mine"}))
    admin = await host.person("admin@example.com", is_admin=True)
    changed = await change_room(host.services, room.id, admin, RoomChanges(fields={"name": "Ours"}))
    assert changed.name == "Ours"


async def test_a_running_room_cannot_be_deleted_and_a_deleted_one_is_gone(
    host: HostHarness,
) -> None:
    room = await host.start("bazaar")
    with pytest.raises(Conflict) as caught:
        await delete_room(host.services, room.id, host.organizer)
    assert caught.value.code == "ROOM_ACTIVE"
    await host.change(room.id, status=RoomStatus.COMPLETED)
    await delete_room(host.services, room.id, host.organizer)
    with pytest.raises(NotFound):
        await host.change(room.id, fields={"name": "Again"})


async def test_a_copy_takes_settings_and_prizes_but_nobody_along(host: HostHarness) -> None:
    room = await host.start("bazaar", settings={"limit": 7})
    await host.prize(room, 3)
    await host.guest(room)

    copy = await copy_room(host.services, room.id, host.organizer, "Next year")

    assert copy.app_settings == room.app_settings
    assert copy.code != room.code
    assert copy.draw_anchor != room.draw_anchor
    assert copy.active_count == 0
    async with host.services.database.read() as session:
        prize = (await session.scalars(select(PrizeRow).filter_by(room_id=copy.id))).one()
    assert (prize.name, prize.quantity, prize.quantity_remaining) == ("Bicycle", 3, 3)


async def test_an_ended_room_marks_what_is_written_later(host: HostHarness) -> None:
    room = await host.start("bazaar")
    await host.change(room.id, status=RoomStatus.COMPLETED)
    await host.change(room.id, fields={"description": "Photos follow"})
    events = await host.events(room.id)
    assert [event.after_end for event in events if event.type == "room:updated"] == [True]
    assert not any(event.after_end for event in events if event.type != "room:updated")
    assert await host.count(TimerRow, room_id=room.id) == 0
