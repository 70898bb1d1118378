"""An import of many people: decided as a whole, written part by part, with others in between."""

import asyncio

import pytest
from sqlalchemy import select

from mymozhem.audit.tables import AuditRow
from mymozhem.contract import RoomStatus
from mymozhem.errors import Conflict, Forbidden, Invalid, NotFound
from mymozhem.rooms.jobs.leases import release
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.lifecycle.update import delete_room
from mymozhem.rooms.participants.add_people import (
    AT_ONCE,
    NewPerson,
    Seat,
    accept_people,
    add_part,
    add_people,
)
from mymozhem.rooms.tables.imports import PeopleImportRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness, principal
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines


def people(count: int) -> tuple[NewPerson, ...]:
    return tuple(NewPerson(f"Guest {n}", {"tickets": n}) for n in range(1, count + 1))


async def rows_of(host: HostHarness, room: RoomRow) -> list[ParticipantRow]:
    """Return the participants without the organizer."""
    async with host.services.database.read() as session:
        query = select(ParticipantRow).filter_by(room_id=room.id, role="PARTICIPANT")
        return list((await session.scalars(query.order_by(ParticipantRow.id))).all())


async def accepted(host: HostHarness, room: RoomRow, count: int) -> list[str]:
    """Accept an import and leave it there, as a process that dies does."""
    seats = [Seat(f"part_{n:05}", f"P {n}", {}) for n in range(count)]
    return await accept_people(host.services, room.id, host.organizer, seats)


async def test_people_can_be_put_into_a_draft_with_their_tickets(host: HostHarness) -> None:
    room = await host.room("bazaar")
    ids = await add_people(host.services, room.id, host.organizer, people(120))

    rows = await rows_of(host, room)
    assert [row.id for row in rows] == ids
    assert [row.data["tickets"] for row in rows] == list(range(1, 121))
    assert len({row.display_name for row in rows}) == 120
    async with host.services.database.read() as session:
        assert (await session.get_one(RoomRow, room.id)).active_count == 120
        audits = (await session.scalars(select(AuditRow).filter_by(room_id=room.id))).all()
    assert [each.details for each in audits if each.action == "participant.import"] == [
        {"people": 120}
    ]
    joined = await host.events(room.id, "participant:joined")
    assert {event.actor_id for event in joined} == {host.organizer.user_id}
    assert len(joined) == 120
    assert await host.count(PeopleImportRow) == 0
    await host.replayed(room.id)


async def test_an_import_that_does_not_fit_puts_nobody_in(host: HostHarness) -> None:
    count = 2 * AT_ONCE
    room = await host.room("bazaar", capacity=count - 1)
    with pytest.raises(Conflict) as caught:
        await add_people(host.services, room.id, host.organizer, people(count))
    assert caught.value.code == "ROOM_FULL"
    assert await host.events(room.id, "participant:joined") == []
    assert await host.count(PeopleImportRow) == 0


async def test_a_stranger_adds_nobody(host: HostHarness) -> None:
    room = await host.start("bazaar")
    guest = await host.guest(room)
    with pytest.raises(Forbidden):
        await add_people(host.services, room.id, principal(guest), people(2 * AT_ONCE))
    assert len(await rows_of(host, room)) == 1
    assert await host.count(PeopleImportRow) == 0


async def test_an_import_names_every_name_that_cannot_be_used(host: HostHarness) -> None:
    room = await host.room("bazaar")
    wrong = tuple(NewPerson(name) for name in ("Ada", "  ", "Bob", "C\u202e"))
    with pytest.raises(Invalid) as caught:
        await add_people(host.services, room.id, host.organizer, wrong)
    assert caught.value.details["fields"].keys() == {"/people/1/name", "/people/3/name"}
    assert await host.events(room.id, "participant:joined") == []


async def test_same_names_get_a_suffix_also_in_different_parts(host: HostHarness) -> None:
    room = await host.room("bazaar")
    same = (NewPerson("Ada"),) * (AT_ONCE + 2)
    await add_people(host.services, room.id, host.organizer, same)
    names = [row.display_name for row in await rows_of(host, room)]
    assert names == ["Ada", *(f"Ada {n}" for n in range(2, AT_ONCE + 3))]


async def test_others_write_while_people_are_imported(host: HostHarness) -> None:
    busy, quiet = await host.start("bazaar"), await host.start("bazaar")
    count = 8 * AT_ONCE
    seen = []
    async with asyncio.timeout(HANG_TIMEOUT):
        task = asyncio.create_task(
            add_people(host.services, busy.id, host.organizer, people(count))
        )
        while not await rows_of(host, busy):
            pass
        for room in (quiet, busy):
            await host.guest(room)
            seen.append(len(await rows_of(host, busy)))
        await task
    assert all(0 < each < count for each in seen), "the import stopped other writers"
    assert len(await rows_of(host, busy)) == count + 1
    assert len(await rows_of(host, quiet)) == 1


async def test_an_import_goes_on_if_its_caller_is_gone(host: HostHarness) -> None:
    room, count = await host.room("bazaar"), 4 * AT_ONCE
    async with asyncio.timeout(HANG_TIMEOUT):
        task = asyncio.create_task(
            add_people(host.services, room.id, host.organizer, people(count))
        )
        while not await rows_of(host, room):
            pass
        task.cancel()
        while await host.count(PeopleImportRow):
            pass
    assert len(await rows_of(host, room)) == count


async def test_what_a_dead_process_left_behind_is_added_once(host: HostHarness) -> None:
    room, count = await host.room("bazaar"), 3 * AT_ONCE
    parts = await accepted(host, room, count)
    assert len(await rows_of(host, room)) == AT_ONCE

    jobs = Jobs(host.services)
    assert await jobs.run_due() == 0  # they still belong to the request
    await release(host.services.database, None)
    assert await jobs.run_due() == 2
    for part in parts:  # as the request would, if it came back
        await add_part(host.services, room.id, part)

    rows = await rows_of(host, room)
    assert [row.id for row in rows] == [f"part_{n:05}" for n in range(count)]
    async with host.services.database.read() as session:
        assert (await session.get_one(RoomRow, room.id)).active_count == count


async def test_an_accepted_import_keeps_its_places_and_outlives_the_end(host: HostHarness) -> None:
    count = 2 * AT_ONCE
    room = await host.start("bazaar", capacity=count)
    await accepted(host, room, count)
    with pytest.raises(Conflict) as caught:
        await host.guest(room)
    assert caught.value.code == "ROOM_FULL"
    await host.change(room.id, status=RoomStatus.COMPLETED)
    await release(host.services.database, None)
    await Jobs(host.services).run_due()
    assert len(await rows_of(host, room)) == count


async def test_nobody_is_added_to_a_deleted_room(host: HostHarness) -> None:
    room = await host.room("bazaar")
    parts = await accepted(host, room, 3 * AT_ONCE)
    await delete_room(host.services, room.id, host.organizer)
    with pytest.raises(NotFound):
        await add_part(host.services, room.id, parts[0])
    await release(host.services.database, None)
    await Jobs(host.services).run_due()
    assert await host.count(PeopleImportRow) == 0
    assert len(await rows_of(host, room)) == AT_ONCE


async def test_two_people_of_the_longest_name_are_told_apart(host: HostHarness) -> None:
    room = await host.start("bazaar")
    for _ in range(3):
        await host.guest(room, name="M" * 32)
    await add_people(host.services, room.id, host.organizer, (NewPerson("M" * 32, {}),) * 2)
    async with host.services.database.read() as session:
        names = await session.scalars(
            select(ParticipantRow.display_name).filter_by(room_id=room.id, role="PARTICIPANT")
        )
    assert sorted(names) == sorted(["M" * 32, *(f"{'M' * 30} {n}" for n in range(2, 6))])
