"""Who is erased has left every room, without a name, and their token opens no door any more."""

import pytest
from sqlalchemy import select

from mymozhem.auth.users import ERASED_NAME
from mymozhem.contract import ParticipantStatus
from mymozhem.db.base import new_id
from mymozhem.errors import NotFound, Unauthenticated
from mymozhem.idempotency.tables import IdempotencyRow
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.lifecycle.update import delete_room
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness, principal

pytestmark = pytest.mark.both_engines


async def rows(host: HostHarness, table: type, **where: object) -> list:
    async with host.services.database.read() as session:
        return list(await session.scalars(select(table).filter_by(**where)))


async def test_an_erased_person_is_out_of_every_room_and_nowhere_by_name(host: HostHarness) -> None:
    person = await host.person("zoe@example.com")
    room = await host.start("bazaar", capacity=1)
    seat = await join(host.services, room.code, person, name="Zoe", answers={"table": 7})
    mine = await rows(host, ParticipantRow, user_id=person.user_id)
    own = {"effect": "setParticipants", "participantId": [mine[0].id], "own": [{"to": "Zoe"}]}
    note = {"effect": "notify", "to": [mine[0].id], "title": "Dear Zoe"}
    await perform(host.services, room.id, host.organizer, "do", {"effects": [own, note]})
    await erase_person(host.services, person, person.user_id)
    [left] = await rows(host, ParticipantRow, user_id=person.user_id)
    assert (left.id, left.display_name) == (seat.participant.id, ERASED_NAME)
    assert (left.status, left.data, left.own) == (ParticipantStatus.LEFT, {}, {})
    assert await host.count(NotificationRow) == 0
    [room] = await rows(host, RoomRow, id=room.id)
    assert room.active_count == 0
    await host.guest(room, "Ada")
    with pytest.raises(Unauthenticated):
        await perform(host.services, room.id, person, "do", {})
    with pytest.raises(Unauthenticated):
        await join(host.services, room.code, person, name="Zoe", answers={})
    with pytest.raises(NotFound):
        await erase_person(host.services, person, person.user_id)


async def test_an_erased_organizer_organizes_nothing_any_more(host: HostHarness) -> None:
    room = await host.start("bazaar")
    await erase_person(host.services, host.organizer, host.organizer.user_id)
    with pytest.raises(Unauthenticated):
        await host.change(room.id, fields={"name": "Haunted"})
    [seat] = await rows(host, ParticipantRow, room_id=room.id)
    assert (seat.display_name, seat.status) == (ERASED_NAME, ParticipantStatus.LEFT)


async def test_seats_in_deleted_rooms_and_kept_answers_are_erased_too(host: HostHarness) -> None:
    room = await host.room("bazaar")
    await delete_room(host.services, room.id, host.organizer)
    me = host.organizer
    async with host.services.database.write() as unit:
        key = {"caller": me.user_id, "route": "r", "key": new_id("key"), "body_digest": "d"}
        times = {"created_at": unit.now, "expires_at": unit.now}
        unit.session.add(IdempotencyRow(**key, **times, status=200, response={"name": "me"}))
    await erase_person(host.services, me, me.user_id)
    [seat] = await rows(host, ParticipantRow, room_id=room.id)
    assert seat.display_name == ERASED_NAME
    assert await host.count(IdempotencyRow) == 0


async def test_only_oneself_and_admins_can_erase_somebody(host: HostHarness) -> None:
    room = await host.start("bazaar")
    guest = await host.guest(room)
    with pytest.raises(NotFound):
        await erase_person(host.services, host.organizer, guest.user_id)
    with pytest.raises(NotFound):
        await erase_person(host.services, principal(guest), host.organizer.user_id)
    admin = await host.person("root@example.com", is_admin=True)
    await erase_person(host.services, admin, guest.user_id)
    assert await host.count(ParticipantRow, display_name=ERASED_NAME) == 1
