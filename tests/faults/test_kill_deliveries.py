"""Processes killed while they tell an app what happens: what was committed arrives, or is kept."""

import random

import pytest

from tests.faults.delivery_kills import DeliveryScene
from tests.faults.kills import rounds
from tests.support.apps.delivery_app import DeliveryApp

pytestmark = pytest.mark.both_engines


@pytest.fixture
async def app():
    async with DeliveryApp(random.Random(7)).serving() as app:
        yield app


@pytest.fixture
async def scene(database_url, tmp_path, app):
    scene = DeliveryScene(database_url, tmp_path, app)
    await scene.set_up()
    return scene


async def campaign(scene, *, processes):
    """Kill in every round, by turns at a step of a transaction and at a moment."""
    for seed, slower in rounds(until=lambda: scene.acknowledged):
        chance = random.Random(seed)
        steps = chance.randint(1, 900) if seed % 2 == 0 else 0
        after = slower * chance.uniform(0.3, 2.0)
        await scene.run(processes=processes, kill_after=after, steps=steps)
        await scene.check()
    await scene.finish()
    ids = await scene.check(finished=True)
    assert ids["delivered"]


async def test_deliveries_survive_kills_at_every_step(scene):
    await campaign(scene, processes=1)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_two_processes_that_are_killed_carry_each_delivery_in_order(scene):
    await campaign(scene, processes=2)
