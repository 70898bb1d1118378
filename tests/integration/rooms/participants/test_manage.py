"""Organizers and moderators look after the people in a room."""

import pytest
from sqlalchemy import select

from mymozhem.contract import ParticipantStatus, Role
from mymozhem.errors import Conflict, Forbidden, Invalid, NotFound
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.participants.manage import (
    NewPerson,
    PersonChanges,
    add_people,
    approve,
    change_person,
    leave,
    reject,
    remove,
)
from mymozhem.rooms.tables.audit import AuditRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import House, principal

pytestmark = pytest.mark.both_engines


async def test_people_can_be_put_into_a_draft_with_their_tickets(house: House) -> None:
    room = await house.room("bazaar")
    people = tuple(NewPerson(f"Guest {n}", {"tickets": n}) for n in range(1, 301))
    rows = await add_people(house.services, room.id, house.organizer, people)

    assert [row.data["tickets"] for row in rows] == list(range(1, 301))
    assert len({row.display_name for row in rows}) == 300
    async with house.services.database.read() as session:
        assert (await session.get_one(RoomRow, room.id)).active_count == 300
    assert len(await house.events(room.id, "participant:joined")) == 300


async def test_an_import_that_does_not_fit_puts_nobody_in(house: House) -> None:
    room = await house.room("bazaar", capacity=2)
    with pytest.raises(Conflict) as caught:
        await add_people(
            house.services, room.id, house.organizer, tuple(NewPerson(n) for n in "ABC")
        )
    assert caught.value.code == "ROOM_FULL"
    assert await house.events(room.id, "participant:joined") == []


async def test_an_import_names_every_name_that_cannot_be_used(house: House) -> None:
    room = await house.room("bazaar")
    people = tuple(NewPerson(name) for name in ("Ada", "  ", "Bob", "C\u202e"))
    with pytest.raises(Invalid) as caught:
        await add_people(house.services, room.id, house.organizer, people)
    assert caught.value.details["fields"].keys() == {"/people/1/name", "/people/3/name"}
    assert await house.events(room.id, "participant:joined") == []


async def test_same_names_in_one_import_get_a_suffix(house: House) -> None:
    room = await house.room("bazaar")
    rows = await add_people(
        house.services, room.id, house.organizer, (NewPerson("Ada"), NewPerson("Ada"))
    )
    assert [row.display_name for row in rows] == ["Ada", "Ada 2"]


async def test_only_who_waits_can_be_turned_away(house: House) -> None:
    room = await house.start("bazaar")
    shy = await house.guest(room, "Shy", {"mood": "shy"})
    bold = await house.guest(room, "Bold")
    rejected = await reject(house.services, room.id, house.organizer, shy.participant.id, "Sorry")
    assert rejected.status == ParticipantStatus.REJECTED
    with pytest.raises(Conflict):
        await reject(house.services, room.id, house.organizer, bold.participant.id, None)


async def test_a_participant_cannot_touch_others_or_their_own_tickets(house: House) -> None:
    room = await house.start("bazaar")
    guest = await house.guest(room)
    with pytest.raises(Forbidden):
        await change_person(
            house.services,
            room.id,
            principal(guest),
            guest.participant.id,
            PersonChanges(metadata={"tickets": 1000}),
        )


async def test_roles_are_granted_up_to_ones_own(house: House) -> None:
    room = await house.start("bazaar")
    helper = await house.person("helper@example.com")
    joined = await join(house.services, room.code, helper, name="Helper", answers={})
    guest = await house.guest(room)

    promoted = await change_person(
        house.services,
        room.id,
        house.organizer,
        joined.participant.id,
        PersonChanges(role=Role.MODERATOR),
    )
    assert promoted.role == Role.MODERATOR
    renamed = await change_person(
        house.services, room.id, helper, guest.participant.id, PersonChanges(name="Hidden")
    )
    assert renamed.display_name == "Hidden"
    with pytest.raises(Forbidden):
        await change_person(
            house.services,
            room.id,
            helper,
            guest.participant.id,
            PersonChanges(role=Role.ORGANIZER),
        )
    with pytest.raises(Forbidden):
        await change_person(
            house.services, room.id, house.organizer, guest.participant.id,
            PersonChanges(role=Role.ADMIN),
        )  # fmt: skip
    async with house.services.database.read() as session:
        assert (await session.get_one(RoomRow, room.id)).active_count == 1
        audited = set(await session.scalars(select(AuditRow.action)))
    assert "participant.change" in audited


async def test_who_made_the_room_stays_its_organizer(house: House) -> None:
    room = await house.start("bazaar")
    with pytest.raises(Conflict):
        await leave(house.services, room.id, house.organizer)


async def test_removal_can_be_undone(house: House) -> None:
    room = await house.start("bazaar")
    guest = await house.guest(room)
    await remove(house.services, room.id, house.organizer, guest.participant.id)
    with pytest.raises((Forbidden, NotFound)):
        await leave(house.services, room.id, principal(guest))
    back = await approve(house.services, room.id, house.organizer, guest.participant.id)
    assert back.status == ParticipantStatus.ACTIVE
