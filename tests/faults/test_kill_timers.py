"""A host killed at any step of a timer: its effects happen once."""

import random

import pytest

from tests.faults.kills import Scene, rounds

pytestmark = pytest.mark.both_engines


@pytest.fixture
async def scene(database_url, tmp_path):
    scene = Scene(database_url, tmp_path)
    await scene.set_up()
    return scene


async def test_timers_survive_kills_at_every_step_and_have_their_effects_once(scene):
    await scene.set_timers(2)
    steps = await scene.finish()
    killed = []
    for seed, _ in rounds(until=lambda: any(killed)):
        await scene.set_timers(2)
        killed.append(await scene.kill_at(random.Random(seed).randint(1, steps)))
    await scene.finish()
    await scene.check_timers()
