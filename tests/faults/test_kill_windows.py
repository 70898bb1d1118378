"""A host killed while phones answer: nothing acknowledged is lost, and no window ends twice."""

import random
from datetime import timedelta

import pytest

from mymozhem.rooms.tables.windows import WindowRow
from tests.faults.kills import ROUNDS, rounds
from tests.faults.window_kills import WindowScene

pytestmark = pytest.mark.both_engines

#: milliseconds: the duration of a window, the downtime of the host, and the most that may lie
#: between the last heartbeat of a host and its death
LASTS, DOWN, TOLERANCE = 600_000, 3_600_000, 60_000


@pytest.fixture
async def scene(database_url, tmp_path):
    scene = WindowScene(database_url, tmp_path)
    await scene.set_up()
    return scene


async def test_windows_survive_kills_while_phones_answer_and_while_they_are_settled(scene):
    for seed, slower in rounds(until=lambda: scene.acknowledged):
        chance = random.Random(seed)
        await scene.open_all(seed, lasting_ms=slower * chance.choice([300, 600, 1_200]))
        steps = chance.randint(1, 600) if seed % 2 else 0
        await scene.run(kill_after=slower * chance.uniform(0.2, 2.0), steps=steps)
    await scene.finish()
    await scene.check()


async def test_a_window_goes_on_with_what_was_left_however_long_nobody_was_there(scene):
    await scene.open("w", durationMs=LASTS, submissions="many", judge="close")
    _, died = await scene.run(kill_after=random.Random(ROUNDS).uniform(0.5, 1.5))
    for down in (0, DOWN):
        (window,) = await scene.rows(WindowRow)
        at_death = (window.closes_at.timestamp() - died) * 1000
        assert window.status == "open"
        await scene.age(timedelta(milliseconds=down))
        left, died = await scene.run(kill_after=0.5)
        assert left["w"] <= LASTS
        assert abs(left["w"] - at_death) < TOLERANCE
