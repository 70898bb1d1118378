"""A host killed while phones answer: nothing acknowledged is lost, and no window ends twice."""

import asyncio
import random

import pytest

from mymozhem.rooms.tables.windows import WindowRow
from tests.faults.kills import ROUNDS
from tests.faults.window_kills import WindowScene

#: what a restart may give back too much, in milliseconds: the time since the last sign of life
GENEROUS = 2_500


@pytest.fixture
async def scene(database_url, tmp_path):
    scene = WindowScene(database_url, tmp_path)
    await scene.set_up()
    return scene


async def test_windows_survive_kills_while_phones_answer_and_while_they_are_settled(scene):
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        await scene.open_all(seed, lasting_ms=chance.choice([300, 600, 1_200]))
        steps = chance.randint(1, 600) if seed % 2 else 0
        await scene.run(kill_after=chance.uniform(0.2, 2.0), steps=steps)
    assert scene.acknowledged
    await scene.finish()
    await scene.check()


async def test_a_window_goes_on_with_what_was_left_however_long_nobody_was_there(scene):
    lasts = 4_000
    await scene.open("w", durationMs=lasts, submissions="many", judge="close")
    _, died = await scene.run(kill_after=random.Random(ROUNDS).uniform(0.5, 1.5))
    for down in (0, 2.5):
        (window,) = await scene.rows(WindowRow)
        at_death = (window.closes_at.timestamp() - died) * 1000
        assert window.status == "open"
        await asyncio.sleep(down)
        left, died = await scene.run(kill_after=0.5)
        assert at_death - 1 <= left["w"] <= min(lasts, at_death + GENEROUS)
