"""Whoever decides instead of the app is named, with the call that failed, for every hook."""

import pytest
from structlog.testing import capture_logs

from mymozhem.contract import PrizeCount
from mymozhem.errors import Unavailable
from mymozhem.rooms import timers
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.prizes.manage import NewPrize, add_prize
from mymozhem.rooms.windows.judge import judge_waiting
from mymozhem.rooms.windows.queries import find_window
from tests.support.apps.slow_app import SlowApp, make_slow_host
from tests.support.apps.window_app import opening, send


@pytest.fixture
async def den(database, clock, tmp_path):
    den = await make_slow_host(database, clock, tmp_path, SlowApp())
    with capture_logs():
        yield den
    await den.close()


def broken(*_):
    raise ValueError


async def create(den):
    den.room = await den.host.room("sloth")


async def join(den):
    await den.host.guest(den.room)


async def draw(den):
    await den.host.guest(den.room)
    async with room_transaction(den.host.services, den.room.id) as transaction:
        prize = await add_prize(transaction, NewPrize("Bicycle", quantity=1))
        wish = DrawRequest(prizes=(PrizeCount(prize_id=prize.id, count=1),), key="d", run=True)
        await commands.request(transaction, wish)
    await den.later(0)


async def judge(den):
    services = den.host.services
    guest = await den.host.guest(den.room)
    await den.do(opening(judge="app"))
    await send(den.host, den.room, guest, {"n": 4})
    async with services.database.read() as session:
        window = await find_window(session, den.room.id, "w")
    await judge_waiting(services, window.id)


async def close(den):
    await den.do(opening(durationMs=0))
    await den.later(0)


async def ring(den):
    async with room_transaction(den.host.services, den.room.id) as transaction:
        await timers.schedule(transaction, "bell", after_ms=0, payload={})
    await den.later(0)


async def tell(den):
    await den.host.prize(den.room)
    await den.later(0)


INSTEAD = [
    ("validate_settings", create, "platform"),
    ("register_participant", join, "review"),
    ("prepare_draw", draw, "hold"),
    ("select_winners", draw, "queue"),
    ("judge_submission", judge, "cache"),
    ("close_window", close, "queue"),
    ("on_timer", ring, "queue"),
    ("on_room_changed", tell, "queue"),
]


@pytest.mark.parametrize(("hook", "cause", "by"), INSTEAD)
async def test_organizers_are_told_who_decided_and_about_which_call(den, hook, cause, by):
    den.app.answers[hook] = broken
    await cause(den)
    [event] = await den.host.events(den.room.id, "app:fallback_used")
    told = event.payload
    asked = {call.call_id for call in den.app.calls(hook)}
    assert (told["hook"], told["decidedBy"], told["code"]) == (hook, by, "APP_FAILED")
    assert told["callId"] in asked
    assert event.stream == "organizer"


async def test_a_change_of_settings_says_so_too_and_one_that_nobody_decides_says_the_call(den):
    den.app.answers |= {"validate_settings": broken, "handle_action": broken}
    room = await den.host.room("sloth")
    await den.host.change(room.id, settings={"words": ["a"]})
    told = await den.host.events(room.id, "app:fallback_used")
    assert [event.payload["decidedBy"] for event in told] == ["platform"] * 2
    with pytest.raises(Unavailable) as failed:
        await den.do()
    assert failed.value.details["callId"] == den.app.calls("handle_action")[0].call_id
