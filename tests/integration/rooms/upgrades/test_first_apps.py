"""Rooms of the first releases of lottery and quiz, moved to the second ones and back."""

import json

import pytest
from structlog.testing import capture_logs

import mymozhem_lottery
import mymozhem_quiz
from mymozhem.auth.principal import Principal
from mymozhem.contract import PersonKind, PrizeCount, RoomStatus, fair
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.upgrades.migrate import Strategy
from mymozhem.rooms.upgrades.procedure import MoveRequest
from mymozhem.rooms.upgrades.rollback import roll_back
from mymozhem.rooms.upgrades.upgrade import UpgradeRequest, upgrade_room
from tests.support.apps.released_apps import first_release
from tests.support.host import HostHarness, loaded, make_services

LOTTERY = mymozhem_lottery.app_manifest()["meta"]["version"]
QUESTION = {
    "id": "q1",
    "type": "single",
    "text": "What is 2 + 2?",
    "options": [{"text": "3"}, {"text": "4", "right": True}],
}


@pytest.fixture(autouse=True)
def quiet():
    with capture_logs():
        yield


@pytest.fixture
async def host(database, clock, tmp_path):
    services = await make_services(database, clock, tmp_path, {})
    host = HostHarness(services, Principal("", PersonKind.REGISTERED, None, "token"))
    host.organizer = await host.person("organizer@example.com")
    yield host
    await host.services.dispatcher.close()


async def install(host, code):
    """Have the host run this code of an app from now on."""
    services = host.services
    await services.dispatcher.close()
    async with services.database.write() as unit:
        await manifest_history.publish(unit, code.app_id, code.manifest)
    async with services.database.read() as session:
        catalog = Catalog([code], await manifest_history.versions(session))
    dispatcher = Dispatcher(catalog, services.clock, services.settings)
    host.services = type(services)(
        services.database, catalog, dispatcher, services.keys, services.clock, services.settings
    )


async def move(host, room, target, **wishes):
    wish = UpgradeRequest(target=target, **wishes)
    return await upgrade_room(host.services, room.id, host.organizer, wish)


async def now(host, room):
    async with host.services.database.read() as session:
        return await session.get_one(RoomRow, room.id)


async def draw(host, room):
    prize = await host.prize(room)
    wish = DrawRequest(prizes=(PrizeCount(prize_id=prize, count=1),), run=True)
    async with room_transaction(host.services, room.id) as transaction:
        row = await commands.request(transaction, wish)
    await Jobs(host.services).run_due()
    return json.loads(await record(host.services, room.id, row.id))


async def test_a_draft_of_the_first_lottery_draws_with_the_second(host):
    await install(host, first_release("lottery"))
    old, new = [
        await host.room("lottery", settings={"onlyPresent": False, "presentWithinSeconds": 90})
        for _ in range(2)
    ]
    await host.change(old.id, status=RoomStatus.ACTIVE)
    await host.guest(await now(host, old), "Ada")
    before = await draw(host, old)

    await install(host, loaded(mymozhem_lottery, "lottery"))
    planned = await move(host, new, LOTTERY, dry_run=True)
    assert (planned.plan.strategy, planned.plan.allowed) == (Strategy.ASSISTED, True)
    assert (await move(host, new, LOTTERY)).moved
    moved = await now(host, new)
    assert moved.app_settings["presence"] == {"who": "everyone", "withinSeconds": 90}
    await host.change(new.id, status=RoomStatus.ACTIVE)
    await host.guest(moved, "Bob")
    after = await draw(host, new)
    assert [each["rule"]["app"]["version"] for each in (before, after)] == ["1.0.0", LOTTERY]
    assert all(fair.verify(each).ok for each in (before, after))

    still = await move(host, old, LOTTERY, dry_run=True)
    assert [each.code for each in still.plan.refusals] == ["ROOM_ACTIVE"]


async def test_a_quiz_gets_its_questions_into_rounds_and_back(host):
    await install(host, first_release("quiz"))
    room = await host.room("quiz", settings={"questions": [QUESTION]})
    await install(host, loaded(mymozhem_quiz, "quiz"))

    assert (await move(host, room, "2.0.0")).plan.strategy is Strategy.ASSISTED
    settings = (await now(host, room)).app_settings
    assert "questions" not in settings
    assert [each["id"] for each in settings["rounds"][0]["questions"]] == ["q1"]

    await roll_back(host.services, room.id, host.organizer, MoveRequest())
    back = await now(host, room)
    assert (back.app_manifest_version, back.app_settings) == ("1.0.0", room.app_settings)
    await roll_back(host.services, room.id, host.organizer, MoveRequest())
    assert (await now(host, room)).app_settings == settings
    down = await move(host, room, "1.0.0")
    assert down.plan.strategy is Strategy.ASSISTED
    assert (await now(host, room)).app_settings["questions"][0]["id"] == "q1"
