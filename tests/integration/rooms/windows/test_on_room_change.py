"""Who may answer, and windows that wait for everybody while people come and go."""

import pytest

from mymozhem.contract import Role
from mymozhem.errors import Forbidden
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.participants.manage import PersonChanges, approve, change_person, leave, remove
from mymozhem.rooms.windows import commands
from tests.support.apps.window_app import opening, send
from tests.support.host import principal

pytestmark = pytest.mark.both_engines

EVERYONE = {"closeOn": "everyoneAnswered", "durationMs": None}


async def status(window_room):
    await window_room.jobs.run_due()
    return (await window_room.window()).status


async def test_whoever_has_answered_and_left_stands_for_nobody_else(window_room):
    services, room = window_room.host.services, window_room.room
    await window_room.do(opening(**EVERYONE))
    await window_room.send(0, {"n": 1})
    await leave(services, room.id, principal(window_room.guests[0]))
    await window_room.send(1, {"n": 1})
    assert await status(window_room) == "open"
    await window_room.send(2, {"n": 1})
    assert await status(window_room) == "closed"


async def _left(window_room, guest):
    await leave(window_room.host.services, window_room.room.id, principal(guest))


async def _removed(window_room, guest):
    organizer = window_room.host.organizer
    await remove(window_room.host.services, window_room.room.id, organizer, guest.participant.id)


async def _erased(window_room, guest):
    await erase_person(window_room.host.services, principal(guest), guest.user_id)


async def _made_a_viewer(window_room, guest):
    await change_person(
        window_room.host.services,
        window_room.room.id,
        window_room.host.organizer,
        guest.participant.id,
        PersonChanges(role=Role.VIEWER),
    )


async def test_nobody_waits_for_those_who_have_gone(window_room):
    for number, go in enumerate([_left, _removed, _erased, _made_a_viewer]):
        name = f"w{number}"
        guest = await window_room.host.guest(window_room.room, name)
        await window_room.do(opening(name, **EVERYONE))
        for place in range(3):
            await window_room.send(place, {"n": 1}, name)
        await window_room.jobs.run_due()
        assert (await window_room.window(name)).status == "open"
        await go(window_room, guest)
        await window_room.jobs.run_due()
        assert (await window_room.window(name)).close_reason == "everyoneAnswered", go


async def test_whoever_comes_meanwhile_is_waited_for(window_room):
    services, room = window_room.host.services, window_room.room
    await window_room.do(opening(**EVERYONE))
    await remove(services, room.id, window_room.host.organizer, window_room.ids[2])
    await window_room.send(0, {"n": 1})
    late = await window_room.host.guest(room, "Late")
    await approve(services, room.id, window_room.host.organizer, window_room.ids[2])
    await window_room.send(1, {"n": 1})
    await send(window_room.host, room, late, {"n": 1})
    assert await status(window_room) == "open"
    await window_room.send(2, {"n": 1})
    assert await status(window_room) == "closed"


async def test_the_last_to_be_waited_for_leaves_during_a_pause(window_room):
    await window_room.do(opening(**EVERYONE))
    await window_room.send(0, {"n": 1})
    await window_room.send(1, {"n": 1})
    await window_room.control(commands.pause)
    await _left(window_room, window_room.guests[2])
    assert await status(window_room) == "paused"
    await window_room.control(commands.resume)
    assert await status(window_room) == "closed"


async def test_of_the_invited_alone_everybody_is_waited_for(window_room):
    await window_room.do(opening(**EVERYONE, participants=window_room.ids[:2]))
    with pytest.raises(Forbidden) as other:
        await window_room.send(2, {"n": 1})
    assert other.value.code == "WINDOW_NOT_YOURS"
    await window_room.send(0, {"n": 1})
    assert await status(window_room) == "open"
    await window_room.send(1, {"n": 1})
    assert await status(window_room) == "closed"


async def test_each_role_answers_where_it_is_asked(window_room):
    services, room, organizer = (
        window_room.host.services,
        window_room.room,
        window_room.host.organizer,
    )
    moderator = PersonChanges(role=Role.MODERATOR)
    await change_person(services, room.id, organizer, window_room.ids[0], moderator)
    await window_room.do(opening("jury", roles=["MODERATOR", "ORGANIZER"], **EVERYONE))
    await window_room.do(opening("crowd"))
    for guest, name in ((0, "crowd"), (1, "jury")):
        with pytest.raises(Forbidden):
            await window_room.send(guest, {"n": 1}, name)
    stranger = await window_room.host.person("stranger@example.com")
    with pytest.raises(Exception, match="no such room"):
        await commands.close(services, room.id, stranger, "jury")
    with pytest.raises(Forbidden):
        await commands.close(services, room.id, principal(window_room.guests[1]), "jury")
    await window_room.send(0, {"n": 1}, "jury")
    await window_room.jobs.run_due()
    assert (await window_room.window("jury")).status == "open"  # the organizer has not answered
    await commands.close(services, room.id, organizer, "jury")
    await window_room.jobs.run_due()
    assert (await window_room.window("jury")).status == "closed"


async def test_whoever_left_and_came_back_has_had_their_turn(window_room):
    person = await window_room.host.person("zoe@example.com")
    services, room = window_room.host.services, window_room.room
    seat = await join(services, room.code, person, name="Zoe", answers={})
    await window_room.do(opening())
    first = await send(window_room.host, room, seat, {"n": 1}, key="k")
    await leave(services, room.id, person)
    with pytest.raises(Forbidden):
        await send(window_room.host, room, seat, {"n": 2})
    await join(services, room.code, person, name="Zoe", answers={})
    assert await send(window_room.host, room, seat, {"n": 1}, key="k") == first
    with pytest.raises(Exception, match="stands"):
        await send(window_room.host, room, seat, {"n": 2})
