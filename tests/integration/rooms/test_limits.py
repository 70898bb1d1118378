"""What an app says at the edges of numbers and time ends in a typed outcome, never in a crash."""

import pytest

from mymozhem.contract import DrawStatus, Level, PrizeCount
from mymozhem.errors import MymozhemError
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import find_draw
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.events import RoomEventRow
from tests.support.apps.draw_app import DrawApp
from tests.support.host import make_host

pytestmark = pytest.mark.both_engines

AFTER_THE_LAST_YEAR = "9999-12-31T23:59:59-14:00"
BEFORE_THE_FIRST_YEAR = "0001-01-01T00:00:00+14:00"
WITHOUT_A_ZONE = "2031-01-01T00:00:00"
TOO_BIG = (2**53, -(2**53), 10**30)


@pytest.fixture
def app():
    return DrawApp()


@pytest.fixture
async def host(database, clock, tmp_path, app):
    host = await make_host(database, clock, tmp_path, {"drawer": app})
    yield host
    await host.services.dispatcher.close()


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


async def test_effects_beyond_what_is_kept_are_refused_and_change_nothing(host):
    room = await host.start("drawer")
    named = {"Z": await host.prize(room), "P": (await host.guest(room)).participant.id}
    before = await host.count(RoomEventRow)
    for effect in REFUSED:
        with pytest.raises(MymozhemError) as failed:
            await act(host, room, with_ids(effect, named))
        assert failed.value.code == "APP_BAD_RESULT", effect
    assert await host.count(RoomEventRow) == before


@pytest.mark.parametrize("points", [2**31, -(2**31), 2**53 - 1])
async def test_points_stay_within_what_the_database_keeps(host, points):
    room = await host.start("drawer")
    person = (await host.guest(room)).participant.id
    effect = {"effect": "adjust", "participantId": person, "points": 999_999_999, "reason": "a"}
    await act(host, room, effect)
    for more in (points, 2):
        with pytest.raises(MymozhemError) as refused:
            await act(host, room, effect | {"points": more})
        assert refused.value.details["code"] == "POINTS_OUT_OF_RANGE"


@pytest.mark.parametrize("number", [2**53 - 1, 1 - 2**53, 1e300, 0.1234567890123456789])
async def test_numbers_that_every_reader_keeps_are_kept(host, number):
    room = await host.start("drawer")
    await act(host, room, {"effect": "emit", "type": "drawer:said", "payload": {"n": number}})
    [said] = await host.events(room.id, "drawer:said")
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
async def test_a_draw_of_an_answer_at_the_edge_is_held_and_says_why(host, app, answer, code):
    room = await host.start("drawer")
    prizes = (PrizeCount(prize_id=await host.prize(room), count=1),)
    await host.guest(room)
    app.behaviour["prepare"] = lambda *_: answer
    async with room_transaction(host.services, room.id) as transaction:
        draw = await commands.request(transaction, DrawRequest(prizes=prizes))
    await Jobs(host.services).run_due()
    async with host.services.database.read() as session:
        seen = await find_draw(session, room.id, draw.id, level=Level.ORGANIZER)
    assert (seen.status, seen.held_code) == (DrawStatus.REQUESTED, code)


async def act(host, room, effect):
    return await perform(host.services, room.id, host.organizer, "do", {"effects": [effect]})


def with_ids(value, named):
    """Put real ids in the place of their letters."""
    if isinstance(value, dict):
        return {key: with_ids(each, named) for key, each in value.items()}
    if isinstance(value, list):
        return [with_ids(each, named) for each in value]
    return named.get(value, value) if isinstance(value, str) else value
