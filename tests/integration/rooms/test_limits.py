"""What an app says at the edges of numbers and time ends in a typed outcome, never in a crash."""

import pytest

from mymozhem.contract import DrawStatus, Level, PrizeCount
from mymozhem.errors import MymozhemError
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core.transaction import write_room
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawWish
from mymozhem.rooms.draws.record import find_draw
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.events import RoomEventRow
from tests.support.apps.draw_app import Drawer
from tests.support.host import make_house

pytestmark = pytest.mark.both_engines

AFTER_THE_LAST_YEAR = "9999-12-31T23:59:59-14:00"
BEFORE_THE_FIRST_YEAR = "0001-01-01T00:00:00+14:00"
WITHOUT_A_ZONE = "2031-01-01T00:00:00"
TOO_BIG = (2**53, -(2**53), 10**30)


@pytest.fixture
def app():
    return Drawer()


@pytest.fixture
async def house(database, clock, tmp_path, app):
    house = await make_house(database, clock, tmp_path, {"drawer": app})
    yield house
    await house.services.dispatcher.close()


def effects_with(number):
    return [
        {"effect": "setState", "public": {"n": number}},
        {"effect": "setParticipants", "participantId": ["P"], "own": [{"n": number}]},
        {"effect": "adjust", "participantId": "P", "points": number, "reason": "much"},
        {"effect": "award", "participantId": "P", "prizeId": "Z", "metadata": {"n": number}},
        {"effect": "emit", "type": "drawer:said", "payload": {"n": [{"m": number}]}},
        {"effect": "schedule", "name": "t", "afterMs": 1, "payload": {"n": number}},
        {"effect": "reply", "data": number},
    ]


def effects_at(moment):
    sources = [{"name": "lotto", "due": moment}]
    return [
        {"effect": "schedule", "name": "t", "at": moment},
        {"effect": "draw", "key": "k", "publicSources": sources},
    ]


REFUSED = [
    *(effect for number in TOO_BIG for effect in effects_with(number)),
    *effects_at(AFTER_THE_LAST_YEAR),
    *effects_at(BEFORE_THE_FIRST_YEAR),
    *effects_at(WITHOUT_A_ZONE),
]


async def test_effects_beyond_what_is_kept_are_refused_and_change_nothing(house):
    room = await house.start("drawer")
    named = {"Z": await house.prize(room), "P": (await house.guest(room)).participant.id}
    before = await house.count(RoomEventRow)
    for effect in REFUSED:
        with pytest.raises(MymozhemError) as failed:
            await act(house, room, with_ids(effect, named))
        assert failed.value.code == "APP_BAD_RESULT", effect
    assert await house.count(RoomEventRow) == before


@pytest.mark.parametrize("points", [2**31, -(2**31), 2**53 - 1])
async def test_points_stay_within_what_the_database_keeps(house, points):
    room = await house.start("drawer")
    person = (await house.guest(room)).participant.id
    effect = {"effect": "adjust", "participantId": person, "points": 999_999_999, "reason": "a"}
    await act(house, room, effect)
    for more in (points, 2):
        with pytest.raises(MymozhemError) as refused:
            await act(house, room, effect | {"points": more})
        assert refused.value.details["code"] == "POINTS_OUT_OF_RANGE"


@pytest.mark.parametrize("number", [2**53 - 1, 1 - 2**53, 1e300, 0.1234567890123456789])
async def test_numbers_that_every_reader_keeps_are_kept(house, number):
    room = await house.start("drawer")
    await act(house, room, {"effect": "emit", "type": "drawer:said", "payload": {"n": number}})
    [said] = await house.events(room.id, "drawer:said")
    assert said.payload == {"n": number}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"entries": {"seenSince": WITHOUT_A_ZONE}}, "APP_BAD_RESULT"),
        ({"entries": {"seenSince": AFTER_THE_LAST_YEAR}}, "APP_BAD_RESULT"),
        ({"publicSources": [{"name": "a", "due": AFTER_THE_LAST_YEAR}]}, "APP_BAD_RESULT"),
        ({"publicSources": [{"name": "a", "due": WITHOUT_A_ZONE}]}, "APP_BAD_RESULT"),
        ({"publicSources": [{"name": "", "due": "2031-01-01T00:00:00Z"}]}, "RULE_INVALID"),
        ({"entries": {"where": {"$ref": "#"}}}, "WHERE_REFUSED"),
        ({"entries": {"where": {"minimum": 10**30}}}, "APP_BAD_RESULT"),
    ],
)
async def test_a_draw_of_an_answer_at_the_edge_is_held_and_says_why(house, app, answer, code):
    room = await house.start("drawer")
    prizes = (PrizeCount(prize_id=await house.prize(room), count=1),)
    await house.guest(room)
    app.behaviour["prepare"] = lambda *_: answer
    async with write_room(house.services, room.id) as writer:
        draw = await commands.request(writer, DrawWish(prizes=prizes))
    await Jobs(house.services).run_due()
    async with house.services.database.read() as session:
        seen = await find_draw(session, room.id, draw.id, level=Level.ORGANIZER)
    assert (seen.status, seen.held_code) == (DrawStatus.REQUESTED, code)


async def act(house, room, effect):
    return await perform(house.services, room.id, house.organizer, "do", {"effects": [effect]})


def with_ids(value, named):
    """Put real ids in the place of their letters."""
    if isinstance(value, dict):
        return {key: with_ids(each, named) for key, each in value.items()}
    if isinstance(value, list):
        return [with_ids(each, named) for each in value]
    return named.get(value, value) if isinstance(value, str) else value
