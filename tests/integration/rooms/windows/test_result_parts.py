"""Results of a window: decided as a whole, written part by part, with others in between."""

import asyncio

import pytest
from sqlalchemy import select

from mymozhem.contract import Verdict
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.app_calls import exchange
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.lifecycle.update import delete_room
from mymozhem.rooms.tables.results import ResultPartRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.windows import commands, results
from tests.integration.rooms.windows.conftest import WindowRoom
from tests.support.apps.window_app import RULES, opening
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

RIGHT = {"n": 4}
OTHERS_RIGHT = {"properties": {"n": {"const": 5}}}
MANY = opening(rules=RULES, points=10, submissions="many", durationMs=10_000)


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "AT_ONCE", 2)


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the process leave everything after the decision, as one that dies does."""

    async def die(_services: object, _room_id: str, windows: tuple[str, ...]) -> dict[str, None]:
        return dict.fromkeys(windows)

    monkeypatch.setattr(results, "_process", die)
    return monkeypatch


async def answered(window_room: WindowRoom, *, right: int = 3) -> None:
    """Send `right` right answers and two wrong ones of each guest."""
    for number in range(right + 2):
        for guest in range(3):
            await window_room.send(guest, RIGHT if number < right else {"n": 5})


async def left(window_room: WindowRoom) -> int:
    """Return how many parts are left, which the row of the room says as well."""
    async with window_room.host.services.database.read() as session:
        parts = (await session.scalars(select(ResultPartRow.id))).all()
        assert (await session.get_one(RoomRow, window_room.room.id)).results_pending == len(parts)
    return len(parts)


async def resume(window_room: WindowRoom) -> None:
    """Do what the next process does with all that is left."""
    window_room.clock.advance(results.LEFT_AFTER)
    await window_room.jobs.run_due()


async def check_final(window_room: WindowRoom, points: int) -> None:
    """Check that everybody has their points, once, and that the standings came last."""
    assert await left(window_room) == 0
    assert await window_room.points() == [points] * 3
    log = await window_room.check_log()
    scored = [event.type for event in log if event.type in ("scores:changed", "standings:changed")]
    assert scored[-1] == "standings:changed"
    assert scored.count("standings:changed") == 1
    await window_room.host.replayed(window_room.room.id)


async def test_many_results_are_written_in_parts(window_room: WindowRoom):
    await window_room.do(MANY)
    await answered(window_room)
    await window_room.later(10_000)
    await check_final(window_room, 30)
    assert [row.verdict for row in await window_room.rows()] == 9 * [Verdict.RIGHT] + 6 * [
        Verdict.WRONG
    ]


async def test_others_write_while_results_are_written(window_room: WindowRoom):
    host, busy = window_room.host, window_room.room
    quiet = await host.start("desk")
    await window_room.do(MANY)
    await answered(window_room, right=18)
    seen = []
    async with asyncio.timeout(HANG_TIMEOUT):
        task = asyncio.create_task(window_room.later(10_000))
        while not await left(window_room):
            pass
        for room in (quiet, busy):
            await host.guest(room)
            seen.append(await left(window_room))
        await task
    assert all(seen), "the results were written before others had their turn"
    await check_final(window_room, 180)


@pytest.mark.usefixtures("dying")
async def test_what_a_dead_process_left_is_written_once(window_room: WindowRoom):
    await window_room.do(MANY)
    await answered(window_room)
    await window_room.later(10_000)
    assert await left(window_room) == 7  # of eight
    assert await window_room.jobs.run_due() == 0  # they still belong to that process

    await resume(window_room)
    window = await window_room.window()
    await results.write_pending(window_room.host.services, window_room.room.id, window.id)
    await check_final(window_room, 30)


async def test_an_app_is_asked_once_all_results_are_written(
    window_room: WindowRoom, dying: pytest.MonkeyPatch
):
    dying.setattr(exchange, "TRIES", 1)
    await window_room.do(MANY)
    await answered(window_room)
    await window_room.later(10_000)
    services, organizer = window_room.host.services, window_room.host.organizer
    with pytest.raises(RoomBusy):
        await perform(services, window_room.room.id, organizer, "recall", {})
    await resume(window_room)
    told = await perform(services, window_room.room.id, organizer, "recall", {})
    assert sum(points for *_, points in told.reply) == 90


@pytest.mark.usefixtures("dying")
@pytest.mark.parametrize(
    ("correction", "points"),
    [({"rules": OTHERS_RIGHT}, 20), ({"void": True}, 0), ({}, 30)],
)
async def test_a_correction_follows_results_that_are_still_to_be_written(
    window_room: WindowRoom, correction: dict[str, object], points: int
):
    await window_room.do(MANY)
    await answered(window_room)
    await window_room.later(10_000)
    assert await left(window_room)
    async with asyncio.timeout(HANG_TIMEOUT):
        await window_room.control(commands.rejudge, **correction)
    await resume(window_room)
    assert await left(window_room) == 0
    assert await window_room.points() == [points] * 3
    await window_room.host.replayed(window_room.room.id)


@pytest.mark.usefixtures("dying")
async def test_results_that_are_held_back_are_revealed_whole(window_room: WindowRoom):
    await window_room.do({**MANY, "results": "onReveal"})
    await answered(window_room)
    await window_room.later(10_000)
    await resume(window_room)
    assert await window_room.points() == [0, 0, 0]
    await window_room.control(commands.reveal)
    assert await left(window_room)
    await resume(window_room)
    await check_final(window_room, 30)


@pytest.mark.usefixtures("dying")
async def test_standings_that_are_not_announced_stay_hidden_between_parts(window_room: WindowRoom):
    await window_room.do({**MANY, "announce": {"standings": False}})
    await answered(window_room)
    await window_room.later(10_000)
    async with window_room.host.services.database.read() as session:
        assert (await session.get_one(RoomRow, window_room.room.id)).standings_hidden


async def test_points_that_nobody_could_have_are_refused_before_anything_is_written(
    window_room: WindowRoom,
):
    most = 10**9
    person = window_room.ids[0]
    await window_room.do(
        {"effect": "adjust", "participantId": person, "points": most, "reason": "x"}
    )
    await window_room.do(MANY)
    await answered(window_room)
    await window_room.later(10_000)
    assert (await window_room.window()).attempts == 1
    assert await left(window_room) == 0
    assert await window_room.points() == [most, 0, 0]


@pytest.mark.usefixtures("dying")
async def test_nothing_is_written_in_a_deleted_room(window_room: WindowRoom):
    host = window_room.host
    await window_room.do(MANY)
    await answered(window_room)
    await window_room.later(10_000)
    await host.change(window_room.room.id, status="COMPLETED")
    await delete_room(host.services, window_room.room.id, host.organizer)
    await resume(window_room)
    assert await host.count(ResultPartRow) == 0
