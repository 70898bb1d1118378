"""One budget for all that somebody causes: an app that sleeps keeps nobody waiting for longer."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from mymozhem.contract import RoomStatus
from mymozhem.contract.hooks import HOOKS
from mymozhem.errors import Conflict, Unavailable
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.app_settings.import_text import import_setting
from mymozhem.rooms.app_settings.import_values import TextImport
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.windows import commands as window_commands
from tests.support.apps.slow_app import SlowApp
from tests.support.apps.window_app import opening, send
from tests.support.host import make_host, principal
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock

BUDGET_MS = 300

#: what the host itself may need besides, and far less than any hook's own deadline
SLACK = 3.0


class Bed(SlowApp):
    """It asks for so much time that only the budget ends a call."""

    deadline_ms = 30_000


@pytest.fixture
def clock():
    return LoadTolerantClock()


@pytest.fixture
def app():
    return Bed()


@pytest.fixture
async def host(database, clock, tmp_path, app):
    host = await make_host(database, clock, tmp_path, {"sloth": app})
    with capture_logs():
        yield host
    await host.services.dispatcher.close()


@pytest.fixture
async def scene(host, app):
    """A room with a guest, an open window and a prize, whose app falls asleep for good."""
    room = await host.start("sloth")
    guest = await host.guest(room)
    await host.prize(room)
    await do(host, room, opening("w", judge="app"))
    limit(host, action_budget_ms=BUDGET_MS)
    with app.sleeping(*(hook.name for hook in HOOKS)):
        yield room, guest


def limit(host, **settings):
    """Limit the time of what is done from now on: nothing before it may depend on the machine."""
    limited = host.services.settings.model_copy(update=settings)
    host.services = replace(host.services, settings=limited)


async def do(host, room, *effects):
    await perform(host.services, room.id, host.organizer, "do", {"effects": [*effects]})


async def create(host, *_):
    await host.room("sloth")


async def change(host, room, _):
    """Settings are saved and the name changes; the app is asked once for all of it."""
    await host.change(room.id, settings={}, fields={"name": "Night"})


async def cancel(host, room, _):
    await host.change(room.id, status=RoomStatus.CANCELLED)


async def join(host, room, _):
    joined = await host.guest(room, "Bob")
    assert joined.participant.status == "pending"


async def act(host, room, _):
    with pytest.raises(Unavailable):
        await do(host, room)


async def crowd(host, room, _):
    """Who waits for the room's turn waits out of the same budget."""
    ends = await asyncio.gather(*(do(host, room) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(end, Unavailable | Conflict) for end in ends)


async def vote(host, room, guest):
    with pytest.raises((Unavailable, Conflict)):
        await perform(host.services, room.id, principal(guest), "vote", {})


async def add_prize(host, room, _):
    await host.prize(room, name="Kettle")


async def draw(host, room, _):
    async with room_transaction(host.services, room.id) as transaction:
        await commands.request(transaction, DrawRequest(run=True))


async def submit(host, room, guest):
    await send(host, room, guest, {"n": 4})


async def close(host, room, _):
    await window_commands.close(host.services, room.id, host.organizer, "w")


USES = [create, change, cancel, join, act, crowd, vote, add_prize, draw, submit, close]


@pytest.mark.parametrize("use", USES)
async def test_no_request_takes_longer_than_the_budget_and_a_little(host, scene, use):
    begun = host.services.clock.monotonic()
    await use(host, *scene)
    assert host.services.clock.monotonic() - begun < BUDGET_MS / 1000 + SLACK


async def test_a_start_with_new_settings_asks_once(host, app):
    room = await host.room("sloth")
    before = len(app.calls("validate_settings"))
    limit(host, action_budget_ms=BUDGET_MS)
    with app.sleeping("validate_settings"):
        begun = host.services.clock.monotonic()
        await host.change(room.id, settings={"words": ["a"]}, status=RoomStatus.ACTIVE)
        assert host.services.clock.monotonic() - begun < BUDGET_MS / 1000 + SLACK
    assert len(app.calls("validate_settings")) == before + 1


async def test_reading_a_text_and_agreeing_to_it_have_one_budget(host, app):
    room = await host.room("sloth")
    limit(host, action_budget_ms=BUDGET_MS, max_deadline_ms=2 * BUDGET_MS)
    wish = TextImport(setting="words", text="a", format="lines")
    with app.sleeping("import_settings", "validate_settings"):
        begun = host.services.clock.monotonic()
        with pytest.raises(Unavailable):
            await import_setting(host.services, room.id, host.organizer, wish)
        assert host.services.clock.monotonic() - begun < 2 * BUDGET_MS / 1000 + SLACK


async def test_while_a_timer_holds_the_room_others_wait_no_longer_than_their_budget(
    host, scene, app
):
    room, _ = scene
    jobs = Jobs(host.services)
    jobs.start()  # the app is told of the prize, and sleeps in its turn
    try:
        async with asyncio.timeout(HANG_TIMEOUT):
            while not app.calls("on_room_changed"):  # noqa: ASYNC110  it is in the app's thread
                await asyncio.sleep(0.01)
        begun = host.services.clock.monotonic()
        with pytest.raises(RoomBusy):
            await do(host, room)
        assert host.services.clock.monotonic() - begun < BUDGET_MS / 1000 + SLACK
    finally:
        await jobs.stop()
