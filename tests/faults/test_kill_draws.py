"""A host killed at any step of a draw: the next one goes on, and there is one result."""

import random

import pytest

from tests.faults.kills import ROUNDS, Scene, rounds

pytestmark = pytest.mark.both_engines


@pytest.fixture
async def scene(database_url, tmp_path):
    scene = Scene(database_url, tmp_path)
    await scene.set_up()
    return scene


async def test_a_draw_survives_kills_at_every_step_of_its_transactions(scene):
    await scene.ask_for_draws(1)
    steps = await scene.finish()
    killed = []
    for seed, _ in rounds(until=lambda: any(killed)):
        await scene.ask_for_draws(1)
        killed.append(await scene.kill_at(random.Random(seed).randint(1, steps)))
    await scene.finish()
    await scene.check_draws()


async def test_draws_survive_kills_at_any_moment(scene):
    await scene.ask_for_draws(2)
    for seed in range(ROUNDS // 2):
        await scene.kill_after(random.Random(seed).uniform(1.0, 3.0))
    await scene.finish()
    await scene.check_draws()
