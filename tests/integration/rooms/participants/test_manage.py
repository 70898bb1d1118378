"""Organizers and moderators look after the people in a room."""

import pytest
from sqlalchemy import select

from mymozhem.audit.tables import AuditRow
from mymozhem.contract import ParticipantStatus, Role
from mymozhem.errors import Conflict, Forbidden, NotFound
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.participants.manage import (
    PersonChanges,
    approve,
    change_person,
    leave,
    reject,
    remove,
)
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness, principal

pytestmark = pytest.mark.both_engines


async def test_only_who_waits_can_be_turned_away(host: HostHarness) -> None:
    room = await host.start("bazaar")
    shy = await host.guest(room, "Shy", {"mood": "shy"})
    bold = await host.guest(room, "Bold")
    rejected = await reject(host.services, room.id, host.organizer, shy.participant.id, "Sorry")
    assert rejected.status == ParticipantStatus.REJECTED
    with pytest.raises(Conflict):
        await reject(host.services, room.id, host.organizer, bold.participant.id, None)


async def test_a_participant_cannot_touch_others_or_their_own_tickets(host: HostHarness) -> None:
    room = await host.start("bazaar")
    guest = await host.guest(room)
    with pytest.raises(Forbidden):
        await change_person(
            host.services,
            room.id,
            principal(guest),
            guest.participant.id,
            PersonChanges(metadata={"tickets": 1000}),
        )


async def test_roles_are_granted_up_to_ones_own(host: HostHarness) -> None:
    room = await host.start("bazaar")
    helper = await host.person("helper@example.com")
    joined = await join(host.services, room.code, helper, name="Helper", answers={})
    guest = await host.guest(room)

    promoted = await change_person(
        host.services,
        room.id,
        host.organizer,
        joined.participant.id,
        PersonChanges(role=Role.MODERATOR),
    )
    assert promoted.role == Role.MODERATOR
    renamed = await change_person(
        host.services, room.id, helper, guest.participant.id, PersonChanges(name="Hidden")
    )
    assert renamed.display_name == "Hidden"
    with pytest.raises(Forbidden):
        await change_person(
            host.services,
            room.id,
            helper,
            guest.participant.id,
            PersonChanges(role=Role.ORGANIZER),
        )
    with pytest.raises(Forbidden):
        await change_person(
            host.services, room.id, host.organizer, guest.participant.id,
            PersonChanges(role=Role.ADMIN),
        )  # fmt: skip
    async with host.services.database.read() as session:
        assert (await session.get_one(RoomRow, room.id)).active_count == 1
        audited = set(await session.scalars(select(AuditRow.action)))
    assert "participant.change" in audited


async def test_who_made_the_room_stays_its_organizer(host: HostHarness) -> None:
    room = await host.start("bazaar")
    with pytest.raises(Conflict):
        await leave(host.services, room.id, host.organizer)


async def test_removal_can_be_undone(host: HostHarness) -> None:
    room = await host.start("bazaar")
    guest = await host.guest(room)
    await remove(host.services, room.id, host.organizer, guest.participant.id)
    with pytest.raises((Forbidden, NotFound)):
        await leave(host.services, room.id, principal(guest))
    back = await approve(host.services, room.id, host.organizer, guest.participant.id)
    assert back.status == ParticipantStatus.ACTIVE
