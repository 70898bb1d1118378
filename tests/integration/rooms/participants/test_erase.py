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
from tests.support.host import House, principal

pytestmark = pytest.mark.both_engines


async def rows(house: House, table: type, **where: object) -> list:
    async with house.services.database.read() as session:
        return list(await session.scalars(select(table).filter_by(**where)))


async def test_an_erased_person_is_out_of_every_room_and_nowhere_by_name(house: House) -> None:
    person = await house.person("zoe@example.com")
    room = await house.start("bazaar", capacity=1)
    seat = await join(house.services, room.code, person, name="Zoe", answers={"table": 7})
    mine = await rows(house, ParticipantRow, user_id=person.user_id)
    own = {"effect": "setParticipants", "participantId": [mine[0].id], "own": [{"to": "Zoe"}]}
    note = {"effect": "notify", "to": [mine[0].id], "title": "Dear Zoe"}
    await perform(house.services, room.id, house.organizer, "do", {"effects": [own, note]})
    await erase_person(house.services, person, person.user_id)
    [left] = await rows(house, ParticipantRow, user_id=person.user_id)
    assert (left.id, left.display_name) == (seat.participant.id, ERASED_NAME)
    assert (left.status, left.data, left.own) == (ParticipantStatus.LEFT, {}, {})
    assert await house.count(NotificationRow) == 0
    [room] = await rows(house, RoomRow, id=room.id)
    assert room.active_count == 0
    await house.guest(room, "Ada")
    with pytest.raises(Unauthenticated):
        await perform(house.services, room.id, person, "do", {})
    with pytest.raises(Unauthenticated):
        await join(house.services, room.code, person, name="Zoe", answers={})
    with pytest.raises(NotFound):
        await erase_person(house.services, person, person.user_id)


async def test_an_erased_organizer_organizes_nothing_any_more(house: House) -> None:
    room = await house.start("bazaar")
    await erase_person(house.services, house.organizer, house.organizer.user_id)
    with pytest.raises(Unauthenticated):
        await house.change(room.id, fields={"name": "Haunted"})
    [seat] = await rows(house, ParticipantRow, room_id=room.id)
    assert (seat.display_name, seat.status) == (ERASED_NAME, ParticipantStatus.LEFT)


async def test_seats_in_deleted_rooms_and_kept_answers_are_erased_too(house: House) -> None:
    room = await house.room("bazaar")
    await delete_room(house.services, room.id, house.organizer)
    me = house.organizer
    async with house.services.database.write() as unit:
        key = {"caller": me.user_id, "route": "r", "key": new_id("key"), "body_digest": "d"}
        times = {"created_at": unit.now, "expires_at": unit.now}
        unit.session.add(IdempotencyRow(**key, **times, status=200, response={"name": "me"}))
    await erase_person(house.services, me, me.user_id)
    [seat] = await rows(house, ParticipantRow, room_id=room.id)
    assert seat.display_name == ERASED_NAME
    assert await house.count(IdempotencyRow) == 0


async def test_only_oneself_and_admins_can_erase_somebody(house: House) -> None:
    room = await house.start("bazaar")
    guest = await house.guest(room)
    with pytest.raises(NotFound):
        await erase_person(house.services, house.organizer, guest.user_id)
    with pytest.raises(NotFound):
        await erase_person(house.services, principal(guest), house.organizer.user_id)
    admin = await house.person("root@example.com", is_admin=True)
    await erase_person(house.services, admin, guest.user_id)
    assert await house.count(ParticipantRow, display_name=ERASED_NAME) == 1
