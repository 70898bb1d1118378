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


async def status(evening):
    await evening.jobs.run_due()
    return (await evening.window()).status


async def test_whoever_has_answered_and_left_stands_for_nobody_else(evening):
    services, room = evening.house.services, evening.room
    await evening.do(opening(**EVERYONE))
    await evening.send(0, {"n": 1})
    await leave(services, room.id, principal(evening.guests[0]))
    await evening.send(1, {"n": 1})
    assert await status(evening) == "open"
    await evening.send(2, {"n": 1})
    assert await status(evening) == "closed"


async def _left(evening, guest):
    await leave(evening.house.services, evening.room.id, principal(guest))


async def _removed(evening, guest):
    organizer = evening.house.organizer
    await remove(evening.house.services, evening.room.id, organizer, guest.participant.id)


async def _erased(evening, guest):
    await erase_person(evening.house.services, principal(guest), guest.user_id)


async def _made_a_viewer(evening, guest):
    await change_person(
        evening.house.services,
        evening.room.id,
        evening.house.organizer,
        guest.participant.id,
        PersonChanges(role=Role.VIEWER),
    )


async def test_nobody_waits_for_those_who_have_gone(evening):
    for number, go in enumerate([_left, _removed, _erased, _made_a_viewer]):
        name = f"w{number}"
        guest = await evening.house.guest(evening.room, name)
        await evening.do(opening(name, **EVERYONE))
        for place in range(3):
            await evening.send(place, {"n": 1}, name)
        await evening.jobs.run_due()
        assert (await evening.window(name)).status == "open"
        await go(evening, guest)
        await evening.jobs.run_due()
        assert (await evening.window(name)).close_reason == "everyoneAnswered", go


async def test_whoever_comes_meanwhile_is_waited_for(evening):
    services, room = evening.house.services, evening.room
    await evening.do(opening(**EVERYONE))
    await remove(services, room.id, evening.house.organizer, evening.ids[2])
    await evening.send(0, {"n": 1})
    late = await evening.house.guest(room, "Late")
    await approve(services, room.id, evening.house.organizer, evening.ids[2])
    await evening.send(1, {"n": 1})
    await send(evening.house, room, late, {"n": 1})
    assert await status(evening) == "open"
    await evening.send(2, {"n": 1})
    assert await status(evening) == "closed"


async def test_the_last_to_be_waited_for_leaves_during_a_pause(evening):
    await evening.do(opening(**EVERYONE))
    await evening.send(0, {"n": 1})
    await evening.send(1, {"n": 1})
    await evening.control(commands.pause)
    await _left(evening, evening.guests[2])
    assert await status(evening) == "paused"
    await evening.control(commands.resume)
    assert await status(evening) == "closed"


async def test_of_the_invited_alone_everybody_is_waited_for(evening):
    await evening.do(opening(**EVERYONE, participants=evening.ids[:2]))
    with pytest.raises(Forbidden) as other:
        await evening.send(2, {"n": 1})
    assert other.value.code == "WINDOW_NOT_YOURS"
    await evening.send(0, {"n": 1})
    assert await status(evening) == "open"
    await evening.send(1, {"n": 1})
    assert await status(evening) == "closed"


async def test_each_role_answers_where_it_is_asked(evening):
    services, room, organizer = evening.house.services, evening.room, evening.house.organizer
    moderator = PersonChanges(role=Role.MODERATOR)
    await change_person(services, room.id, organizer, evening.ids[0], moderator)
    await evening.do(opening("jury", roles=["MODERATOR", "ORGANIZER"], **EVERYONE))
    await evening.do(opening("crowd"))
    for guest, name in ((0, "crowd"), (1, "jury")):
        with pytest.raises(Forbidden):
            await evening.send(guest, {"n": 1}, name)
    stranger = await evening.house.person("stranger@example.com")
    with pytest.raises(Exception, match="no such room"):
        await commands.close(services, room.id, stranger, "jury")
    with pytest.raises(Forbidden):
        await commands.close(services, room.id, principal(evening.guests[1]), "jury")
    await evening.send(0, {"n": 1}, "jury")
    await evening.jobs.run_due()
    assert (await evening.window("jury")).status == "open"  # the organizer has not answered
    await commands.close(services, room.id, organizer, "jury")
    await evening.jobs.run_due()
    assert (await evening.window("jury")).status == "closed"


async def test_whoever_left_and_came_back_has_had_their_turn(evening):
    person = await evening.house.person("zoe@example.com")
    services, room = evening.house.services, evening.room
    seat = await join(services, room.code, person, name="Zoe", answers={})
    await evening.do(opening())
    first = await send(evening.house, room, seat, {"n": 1}, key="k")
    await leave(services, room.id, person)
    with pytest.raises(Forbidden):
        await send(evening.house, room, seat, {"n": 2})
    await join(services, room.code, person, name="Zoe", answers={})
    assert await send(evening.house, room, seat, {"n": 1}, key="k") == first
    with pytest.raises(Exception, match="stands"):
        await send(evening.house, room, seat, {"n": 2})
