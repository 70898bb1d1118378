"""The machine's clock jumps while a question is open: nobody's time, points or timers change."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from mymozhem.clock import HeldClock, SteadyClock
from mymozhem.errors import Conflict
from mymozhem.rooms import timers
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.jobs.clock_jumps import LOOK_EVERY, ClockJumps
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.timers import TimerRow
from mymozhem.rooms.windows.timing import left_ms
from tests.support.apps.window_app import WindowApp, do, opening, send, window_of
from tests.support.host import make_host

# A PostgreSQL server has a clock of its own, which does not jump with this machine's.
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)

JUMPS = [
    timedelta(hours=1),
    timedelta(hours=-1),
    timedelta(seconds=3),
    timedelta(seconds=-3),
]


@pytest.fixture
def machine():
    return HeldClock()


@pytest.fixture
def clock(machine):
    return SteadyClock(machine)


@pytest.fixture
async def host(database, clock, tmp_path):
    host = await make_host(database, clock, tmp_path, {"desk": WindowApp()})
    yield host
    await host.services.dispatcher.close()


@on_sqlite
@pytest.mark.parametrize("jump", JUMPS)
async def test_a_question_stays_open_as_long_as_it_was_meant_to(host, machine, clock, jump):
    room = await host.start("desk")
    first, second, third, late = await host.guests(room, 4)
    await do(host, room, opening(durationMs=10_000))
    machine.advance(2)
    machine.set(machine.now() + jump)
    assert (await send(host, room, first, {"n": 4})).elapsed_ms == 2_000  # nobody has noticed yet

    with capture_logs() as logs:
        assert await ClockJumps().follow(host.services) == jump
    [line] = [line for line in logs if "clock of the machine" in line["event"]]
    assert line["seconds"] == jump.total_seconds()
    assert clock.now() == machine.now()
    window = await window_of(host, room, "w")
    assert left_ms(window, machine.now()) == 8_000
    [changed] = await host.events(room.id, "window:changed")
    assert changed.payload["reason"] == "changed"

    machine.advance(2)
    assert (await send(host, room, second, {"n": 4})).elapsed_ms == 4_000
    machine.advance(5.999)
    assert (await send(host, room, third, {"n": 4})).elapsed_ms == 9_999
    machine.advance(0.001)
    with pytest.raises(Conflict) as closed:
        await send(host, room, late, {"n": 4})
    assert closed.value.code == "WINDOW_CLOSED"
    jobs = Jobs(host.services)
    await jobs.run_due()
    assert (await window_of(host, room, "w")).status == "closed"
    await jobs.stop()


@on_sqlite
@pytest.mark.parametrize("jump", JUMPS)
async def test_a_timer_waits_for_its_span_and_one_for_a_time_of_day_stays(host, machine, jump):
    room = await host.start("desk")
    at = machine.now() + timedelta(hours=5)
    async with room_transaction(host.services, room.id) as transaction:
        await timers.schedule(transaction, "span", after_ms=20_000, payload={})
        await timers.schedule(transaction, "day", at=at, payload={})
    machine.advance(5)
    machine.set(machine.now() + jump)
    await ClockJumps().follow(host.services)
    async with host.services.database.read() as session:
        rows = {row.key: row for row in await session.scalars(select(TimerRow))}
    assert rows["span"].due_at == rows["span"].next_at == machine.now() + timedelta(seconds=15)
    assert rows["day"].due_at == rows["day"].next_at == at


@on_sqlite
async def test_the_jobs_notice_a_jump_and_know_it_for_an_hour(host, machine):
    jobs = Jobs(host.services)
    before = machine.now()
    machine.set(before - timedelta(hours=1))
    await jobs._step()  # noqa: SLF001 - the loop's own step
    [jump] = jobs.clock_jumps.since(before - timedelta(hours=1))
    assert jump.seconds == -3_600
    assert jobs.clock_jumps.since(machine.now() + timedelta(seconds=1)) == []
    await jobs._step()  # noqa: SLF001
    assert len(jobs.clock_jumps.since(before - timedelta(hours=1))) == 1
    await jobs.stop()


@on_postgresql
async def test_a_jump_of_the_database_server_is_noticed_and_reported(host, database, machine):
    ahead = timedelta()

    async def clock_skew():
        return ahead + timedelta(milliseconds=20)  # what the network adds

    database.clock_skew = clock_skew
    jumps = ClockJumps()
    assert await jumps.follow(host.services) is None
    ahead = timedelta(hours=-1)
    assert await jumps.follow(host.services) is None  # it is not asked all the time
    machine.advance(LOOK_EVERY)
    with capture_logs() as logs:
        assert await jumps.follow(host.services) == timedelta(hours=-1)
    [line] = [line for line in logs if "database server" in line["event"]]
    assert line["seconds"] == -3_600
    [seen] = jumps.since(await database.now() - timedelta(hours=1))
    assert (seen.seconds, seen.of_database) == (-3_600, True)
    machine.advance(LOOK_EVERY)
    assert await jumps.follow(host.services) is None  # one jump is reported once
