"""A released app, installed apart for real, in a room of a host that has no code of it."""

import json
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from mymozhem.auth.principal import Principal
from mymozhem.config import Settings
from mymozhem.contract import PersonKind, PrizeCount, fair
from mymozhem.migrations import upgrade
from mymozhem.registry.isolated.install import install
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.testing import HostHarness
from mymozhem.wiring.process import open_parts
from tests.benchmarks import bench_large_draw
from tests.support.timing import LoadTolerantClock

RELEASE = next(Path(__file__).parents[2].glob("releases/mymozhem_lottery-1.0.0-*.whl"))
PEOPLE = 50_000


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        install(str(RELEASE), Settings(_env_file=None, data_dir=folder))
    return folder


@asynccontextmanager
async def isolated_host(data_dir, name):
    url = f"sqlite:///{data_dir / name}.sqlite3"
    await upgrade(url)
    settings = Settings(_env_file=None, data_dir=data_dir, database_url=url, environment="test")
    async with open_parts(settings, LoadTolerantClock()) as parts:
        host = HostHarness(parts.services, Principal("", PersonKind.REGISTERED, None, "token"))
        host.organizer = await host.person("organizer@example.com")
        yield host, parts


async def draw(services, room, prize):
    async with room_transaction(services, room.id) as writer:
        wish = DrawRequest(prizes=(PrizeCount(prize_id=prize, count=3),), run=True)
        asked = await commands.request(writer, wish)
    await Jobs(services).run_due()
    async with services.database.read() as session:
        return await session.get_one(DrawRow, asked.id)


async def test_fifty_thousand_people_take_part_in_a_draw_of_isolated_code(data_dir, monkeypatch):
    async with isolated_host(data_dir, "large") as (host, parts):
        room = await host.start("lottery")
        prize = await host.prize(room, quantity=3)
        first = await host.guest(room)
        ids = {"user": first.user_id, "person": first.participant.id, "last": PEOPLE - 1}
        async with host.services.database.write() as unit:
            for statement in (bench_large_draw.USERS, bench_large_draw.PARTICIPANTS):
                await unit.session.execute(text(statement), ids)
        begun = time.monotonic()
        drawn = await draw(host.services, room, prize)
        seconds = time.monotonic() - begun
        assert drawn.status == "REVEALED", (drawn.held_code, drawn.held_message, seconds)
        document = json.loads(await record(host.services, room.id, drawn.id))
        assert fair.verify(document).ok
        assert len(document["entries"]["participants"]) == PEOPLE
        assert document["rule"]["app"] == {"id": "lottery", "version": "1.0.0"}
        (status,) = parts.workers.status()
        assert status.starts == 1
        host.services.compute_pool.close()
