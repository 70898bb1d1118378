"""Apps are asked how they are; three bad answers in a row are an incident."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from mymozhem.contract import HealthReport, hookimpl
from mymozhem.monitoring.sources import Checked
from mymozhem.monitoring.tables import AppStatus, HealthCheckRow, RuleName
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from tests.integration.monitoring.records import MonitoredHost, alerts, health
from tests.support.host import loaded

FIVE = timedelta(minutes=5)
DOWN = Checked(AppStatus.DOWN, {"disk": "full"})
WELL = Checked(AppStatus.OK, {})


class Wheel:
    @hookimpl
    def app_manifest(self):
        return {
            "id": "wheel",
            "meta": {"name": "Wheel", "version": "1.0.0", "description": "Turns."},
            "capabilities": ["health"],
            "permissions": [],
        }

    @hookimpl
    def check_health(self):
        return HealthReport()


@pytest.fixture
async def catalog(database) -> Catalog:
    code = loaded(Wheel(), "wheel")
    async with database.write() as unit:
        await manifest_history.publish(unit, code.app_id, code.manifest)
    async with database.read() as session:
        return Catalog([code], await manifest_history.versions(session))


async def the_row(database) -> HealthCheckRow:
    async with database.read() as session:
        return (await session.scalars(select(HealthCheckRow))).one()


async def test_an_answer_is_kept_with_how_long_it_has_been_so(database, clock, catalog):
    world = MonitoredHost(health=WELL)
    loop = health(database, clock, world, catalog)
    await loop.run_due()
    began = clock.now()
    clock.advance(FIVE)
    await loop.run_due()
    row = await the_row(database)
    assert (row.status, row.since, row.checked_at) == (AppStatus.OK, began, clock.now())
    assert world.asked == [("wheel", "1.0.0")] * 2
    world.health = DOWN
    clock.advance(FIVE)
    await loop.run_due()
    row = await the_row(database)
    assert (row.status, row.since, row.failures_in_a_row) == (AppStatus.DOWN, clock.now(), 1)
    assert row.details == {"disk": "full"}


async def test_three_bad_answers_in_a_row_are_an_incident_and_a_good_one_ends_it(
    database, clock, catalog
):
    world = MonitoredHost(health=DOWN)
    loop = health(database, clock, world, catalog)
    for _ in range(2):
        await loop.run_due()
        clock.advance(FIVE)
    assert await alerts(database) == []
    world.health = Checked(AppStatus.FAILED, {"code": "APP_TIMEOUT"})
    await loop.run_due()
    (alert,) = await alerts(database)
    assert (alert.rule, alert.app_id) == (RuleName.CHECKS, "wheel")
    world.health = Checked(AppStatus.DEGRADED, {})
    clock.advance(FIVE)
    await loop.run_due()
    (alert,) = await alerts(database)
    assert alert.recovered_at is not None


async def test_only_one_of_several_processes_asks(database, clock, catalog):
    worlds = [MonitoredHost(), MonitoredHost()]
    for world in worlds:
        await health(database, clock, world, catalog).run_due()
    assert [len(world.asked) for world in worlds] == [1, 0]


async def test_an_app_without_the_capability_is_not_asked(database, clock):
    world = MonitoredHost()
    await health(database, clock, world).run_due()
    assert world.asked == []
