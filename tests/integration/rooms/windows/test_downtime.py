"""Time that the host was away belongs to nobody's window, whatever recovers it and how often."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict, Unavailable
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.windows import HeartbeatRow
from mymozhem.rooms.windows import commands, downtime
from mymozhem.rooms.windows.timing import left_ms
from tests.support.apps.window_app import WindowApp, opening
from tests.support.host import make_services

pytestmark = pytest.mark.both_engines


async def left(window_room, *names):
    windows = [await window_room.window(name) for name in names]
    return [left_ms(window, window_room.clock.now()) for window in windows]


@pytest.fixture
async def second(window_room, database, database_url, tmp_path):
    """Another process: on PostgreSQL with connections of its own."""
    other = database
    if database.dialect == "postgresql":
        other = Database(database_url, clock=window_room.clock)
        await other.open()
    services = await make_services(other, window_room.clock, tmp_path, {"desk": WindowApp()})
    yield services
    await services.dispatcher.close()
    if other is not database:
        await other.close()


async def test_windows_go_on_with_what_was_left_and_paused_and_ended_ones_stay(window_room):
    services = window_room.host.services
    await window_room.do(
        opening("a"), opening("b", durationMs=60_000), opening("endless", durationMs=None)
    )
    await window_room.do(
        opening("later", opensInMs=8_000), opening("paused"), opening("over", durationMs=4_000)
    )
    await window_room.control(commands.pause, name="paused")
    for _ in range(8):
        await downtime.beat(services)
        window_room.clock.advance(0.5)
    await downtime.beat(services)  # the last sign of life, as `over` ends
    names = ("a", "b", "later", "paused")
    before = await left(window_room, *names)
    over = (await window_room.window("over")).closes_at
    window_room.clock.advance(3600)
    await downtime.recover(services, starting=True)
    assert await left(window_room, *names) == before == [6_000, 56_000, 10_000, 10_000]
    assert (await window_room.window("over")).closes_at == over
    changed = await window_room.host.events(window_room.room.id, "window:changed")
    assert {event.payload["reason"] for event in changed} == {"downtime"}
    assert {event.payload["windowId"] for event in changed} == {"a", "b", "endless", "later"}
    await window_room.later(0)
    assert (await window_room.window("over")).close_reason == "deadline"
    assert (await window_room.send(0, {"n": 1}, "a")).elapsed_ms == 4_000
    assert (await window_room.send(0, {"n": 1}, "endless")).elapsed_ms == 4_000
    with pytest.raises(Conflict) as early:
        await window_room.send(0, {"n": 1}, "later")
    assert early.value.details == {"retryAfterMs": 4_000}
    await window_room.later(6_000)
    assert (await window_room.window("a")).status == "closed"
    await window_room.control(commands.resume, name="paused")
    assert await left(window_room, "paused", "b") == [10_000, 50_000]
    await window_room.check_log()


async def test_two_that_recover_at_once_and_one_that_dies_meanwhile_give_back_once(
    window_room, second
):
    services = window_room.host.services
    await window_room.do(opening("a"), opening("b"))
    await downtime.beat(services)
    window_room.clock.advance(100)
    async with services.database.read() as session:
        noted = await session.scalar(select(HeartbeatRow.at))
    window = await window_room.window("a")  # whoever dies here has moved one of two
    await downtime._give_back(  # noqa: SLF001  half of a recovery
        services, window_room.room.id, window.id, noted=noted, silence=downtime.SILENCE
    )
    window_room.clock.advance(5)
    await asyncio.gather(*(downtime.recover(each) for each in (services, second) * 3))
    assert await left(window_room, "a", "b") == [10_000, 10_000]
    assert len(await window_room.host.events(window_room.room.id, "window:changed")) == 3


async def test_the_first_sign_of_life_may_be_given_by_several(window_room, second):
    await window_room.do(opening())
    hosts = (window_room.host.services, second)
    await asyncio.gather(*(downtime.beat(each) for each in hosts * 4))
    assert await window_room.host.count(HeartbeatRow) == 1
    async with second.database.read() as session:
        assert await session.scalar(select(func.max(HeartbeatRow.at))) == window_room.clock.now()


@pytest.mark.parametrize(
    ("dialect", "starting", "given"),
    [
        ("sqlite", True, 1_000),  # the file was nobody's in between
        ("sqlite", False, 0),
        ("postgresql", False, 0),  # others may have been there
    ],
    indirect=["dialect"],
)
async def test_a_short_silence_counts_where_nobody_else_can_have_been_there(
    window_room, starting, given
):
    await window_room.do(opening())
    await downtime.beat(window_room.host.services)
    window_room.clock.advance(1)
    await downtime.recover(window_room.host.services, starting=starting)
    assert await left(window_room, "w") == [9_000 + given]


async def test_a_host_that_was_only_busy_was_there(window_room):
    await window_room.do(opening())
    await downtime.beat(window_room.host.services)
    window_room.clock.advance(5)
    await downtime.beat(window_room.host.services)
    assert await left(window_room, "w") == [5_000]


async def test_jobs_give_back_time_in_which_they_could_note_nothing(window_room, monkeypatch):
    jobs = Jobs(window_room.host.services)
    await window_room.do(opening())
    await jobs._beat()  # noqa: SLF001  the loop's own step
    window_room.clock.advance(1)

    @asynccontextmanager
    async def away():
        raise Unavailable
        yield

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(window_room.host.services.database, "write", away)
        with pytest.raises(Unavailable):
            await jobs._beat()  # noqa: SLF001
    window_room.clock.advance(5)
    await jobs._beat()  # noqa: SLF001
    assert await left(window_room, "w") == [10_000]


async def test_nothing_is_noted_while_no_window_is_open(window_room):
    await downtime.beat(window_room.host.services)
    assert await window_room.host.count(HeartbeatRow) == 0
    await window_room.do(opening())
    window_room.clock.advance(timedelta(milliseconds=900))
    await downtime.beat(window_room.host.services)
    assert await left(window_room, "w") == [9_100]
