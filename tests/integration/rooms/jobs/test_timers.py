"""Timers and changes: fired once, retried, parked, dropped; in order where order matters."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from mymozhem.contract import RoomChangeRequest, RoomStatus, TimerRequest
from mymozhem.observability.call_observer import AppReport
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms import timers
from mymozhem.rooms.app_calls import retry
from mymozhem.rooms.coordination.timer_rates import MAX_TIMERS, TimersTooOften
from mymozhem.rooms.core.transaction import MAX_DEPTH, room_transaction
from mymozhem.rooms.jobs import leases
from mymozhem.rooms.jobs import timers as firing
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.timers import TimerRow
from tests.support.apps.draw_app import DrawApp, break_down, refuse, said
from tests.support.host import make_host
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines


class Told(DrawApp):
    changes = ("joined", "prize", "status")


class Strict(DrawApp):
    policies = {"timers": {"onFailure": "fail"}}


@pytest.fixture
def app():
    return DrawApp()


@pytest.fixture
async def host(database, clock, tmp_path, app):
    host = await make_host(database, clock, tmp_path, {"drawer": app})
    yield host
    await host.services.dispatcher.close()


@pytest.fixture
async def room(host):
    return await host.start("drawer")


@pytest.fixture
async def jobs(host):
    jobs = Jobs(host.services)
    yield jobs
    await jobs.stop()


@pytest.fixture
def schedule(host, room):
    async def set_timer(name, after_ms=0):
        async with room_transaction(host.services, room.id) as transaction:
            await timers.schedule(transaction, name, after_ms=after_ms, payload={"n": 1})

    return set_timer


async def left(host):
    async with host.services.database.read() as session:
        return list(await session.scalars(select(TimerRow).order_by(TimerRow.id)))


async def texts(host, room):
    return [event.payload["text"] for event in await host.events(room.id, "drawer:said")]


async def test_a_timer_fires_once_when_it_is_due_and_not_before(host, room, jobs, schedule, clock):
    await schedule("bell", after_ms=60_000)
    clock.advance(59.999)
    assert await jobs.run_due() == 0
    clock.advance(0.001)
    assert await jobs.run_due() == 1
    assert await jobs.run_due() == 0
    assert await texts(host, room) == ["bell"]
    assert await left(host) == []


async def test_a_timer_that_replaces_itself_stays_and_fires_again(
    host, room, jobs, schedule, clock, app
):
    again = {"effect": "schedule", "name": "bell", "afterMs": 5_000}
    app.behaviour["timer"] = lambda *_: {"effects": [*said("ding")["effects"], again]}
    await schedule("bell")
    for rings in (1, 2):
        assert await jobs.run_due() == 1
        assert await texts(host, room) == ["ding"] * rings
        clock.advance(5)


async def test_a_timer_replaced_while_the_app_thinks_is_dropped(host, room, jobs, schedule, app):
    async def replace(context, request):
        if len(app.asked) == 1:
            await schedule("bell", after_ms=60_000)
        return said("too late")

    app.behaviour["timer"] = replace
    await schedule("bell")
    await jobs.run_due()
    assert await texts(host, room) == []
    [timer] = await left(host)
    assert (timer.generation, timer.attempts) == (2, 0)


async def test_a_broken_app_is_asked_again_and_parked_and_organizers_hear_of_it_once(
    host, room, jobs, schedule, clock, app
):
    app.behaviour["timer"] = break_down
    await schedule("bell")
    for wait in (0, 0.5, 2, 5, 60, 120, 240, 480, 600, 600):
        clock.advance(wait - 0.001) if wait else None
        assert await jobs.run_due() == (0 if wait else 1)
        clock.advance(0.001) if wait else None
        assert await jobs.run_due() == (1 if wait else 0)
    assert len(await host.events(room.id, "app:fallback_used")) == 1
    async with host.services.database.read() as session:
        assert await retry.count_pending(session, room.id) == 1
    app.behaviour.clear()
    async with room_transaction(host.services, room.id) as transaction:
        assert await retry.retry_now(transaction) == 1
    await jobs.run_due()
    assert await texts(host, room) == ["bell"]


@pytest.mark.parametrize("app", [Strict(timer=break_down), DrawApp(timer=refuse)])
async def test_a_refused_timer_and_one_that_may_fail_are_dropped_and_told(
    host, room, jobs, schedule
):
    await schedule("bell")
    await jobs.run_due()
    assert await left(host) == []
    assert len(await host.events(room.id, "app:fallback_used")) == 1


async def test_effects_that_cannot_be_applied_count_as_a_failure_and_change_nothing(
    host, room, jobs, schedule, app
):
    wrong = {"effect": "cancel", "name": "x"}, {"effect": "emit", "type": "drawer:undeclared"}
    app.behaviour["timer"] = lambda *_: {"effects": [*said("half")["effects"], *wrong]}
    await schedule("bell")
    await jobs.run_due()
    assert await texts(host, room) == []
    [timer] = await left(host)
    assert timer.attempts == 1
    assert timer.last_error.startswith("EFFECT_REFUSED")


async def test_the_seed_is_the_same_in_every_attempt_and_another_for_the_next_timer(
    host, room, jobs, schedule, clock, app
):
    seeds = []
    app.behaviour["timer"] = lambda context, _: seeds.append(context.seed) or break_down()
    await schedule("bell")
    await jobs.run_due()
    clock.advance(0.5)
    await jobs.run_due()
    await schedule("bell")
    await jobs.run_due()
    assert seeds[0] == seeds[1] != seeds[2]


async def test_a_room_that_has_ended_fires_no_timers(host, room, jobs, schedule):
    await schedule("bell", after_ms=0)
    await host.change(room.id, status=RoomStatus.CANCELLED)
    await jobs.run_due()
    assert await texts(host, room) == []
    assert await left(host) == []


@pytest.mark.parametrize("app", [Told()])
async def test_changes_are_told_in_order_and_a_failing_one_holds_those_after_it(
    host, room, jobs, app, clock
):
    app.asked.clear()
    app.behaviour["change"] = break_down
    await host.guest(room)
    await host.prize(room)
    assert await jobs.run_due() == 1  # the start of the room comes first
    told = [each.change.kind for each in app.asked if isinstance(each, RoomChangeRequest)]
    assert told == ["status"]
    del app.behaviour["change"]
    clock.advance(0.5)
    await jobs.run_due()
    told = [each.change.kind for each in app.asked if isinstance(each, RoomChangeRequest)]
    assert told == ["status", "status", "joined", "prize"]


async def test_a_chain_of_timers_that_cause_timers_stops_at_eight(host, room, jobs, schedule, app):
    at_once = {"effect": "schedule", "name": "bell", "afterMs": 0}
    app.behaviour["timer"] = lambda *_: {"effects": [at_once]}
    await schedule("bell")
    await jobs.run_due()
    asked = [each for each in app.asked if isinstance(each, TimerRequest)]
    assert len(asked) == MAX_DEPTH
    [timer] = await left(host)
    assert timer.attempts == 1


@pytest.mark.parametrize("delay_ms", [100, 1_000, 1_001])
async def test_a_timer_that_waits_starts_a_new_chain(
    host, room, jobs, schedule, clock, app, delay_ms
):
    again = {"effect": "schedule", "name": "bell", "afterMs": delay_ms}
    app.behaviour["timer"] = lambda *_: {"effects": [again]}
    await schedule("bell")
    for _ in range(3 * MAX_DEPTH):
        assert await jobs.run_due() == 1
        clock.advance(delay_ms / 1000)
    [timer] = await left(host)
    assert (timer.attempts, timer.depth) == (0, 0)


async def test_more_than_ten_timers_in_a_second_are_refused_and_shown_to_operators(
    host, room, clock, app
):
    reports = []
    services = replace(host.services, report_app=reports.append)
    again = {"effect": "schedule", "name": "bell", "afterMs": 50}
    app.behaviour["timer"] = lambda *_: {"effects": [*said("ding")["effects"], again]}
    async with room_transaction(services, room.id) as transaction:
        await timers.schedule(transaction, "bell", after_ms=0, payload={})
    busy = Jobs(services)
    with capture_logs() as logs:
        for _ in range(MAX_TIMERS):
            assert await busy.run_due() == 1
            clock.advance(0.05)
    assert await texts(host, room) == ["ding"] * (MAX_TIMERS - 1)  # all of it or nothing
    [timer] = await left(host)
    assert timer.attempts == 1
    assert timer.last_error == (
        "EFFECT_REFUSED: schedule: "
        "A room's timers may fire ten times a second; set this one for later."
    )
    assert reports == [AppReport("drawer", "1.0.0", "timers", "TIMERS_TOO_OFTEN")]
    assert [line["app"] for line in logs if "too many timers" in line["event"]] == ["drawer"]
    clock.advance(1)
    await busy.run_due()  # by then it is no longer too often
    assert len(await texts(host, room)) == MAX_TIMERS
    await busy.stop()


async def test_many_timers_of_one_room_share_the_limit(host, room, schedule):
    for number in range(MAX_TIMERS):
        await schedule(f"t{number}", after_ms=60_000 + 100 * number)
    with pytest.raises(TimersTooOften) as refused:
        await schedule("one too many", after_ms=60_050)
    assert refused.value.details == {"limit": 10, "seconds": 1}
    await schedule("t3", after_ms=60_055)  # it takes the place of itself
    await schedule("later", after_ms=61_100)


async def test_a_lease_keeps_others_away_until_it_ends(host, room, schedule, clock, app):
    await schedule("bell")
    span = timedelta(seconds=30)
    [work] = await leases.acquire(host.services.database, span=span, limit=5)
    assert await leases.acquire(host.services.database, span=span, limit=5) == []
    clock.advance(31)
    [taken_over] = await leases.acquire(host.services.database, span=span, limit=5)
    await firing.run_timer(host.services, work)
    assert await texts(host, room) == []
    await firing.run_timer(host.services, taken_over)
    await firing.run_timer(host.services, taken_over)
    assert await texts(host, room) == ["bell"]


@pytest.mark.parametrize("app", [Told()])
async def test_a_host_that_has_not_heard_of_the_app_yet_leaves_timers_and_changes_to_others(
    host, room, jobs, schedule, clock
):
    await schedule("bell")
    await host.prize(room)
    rows = {row.id for row in await left(host)}
    other = Jobs(replace(host.services, catalog=Catalog((), ())))
    await other.run_due()
    assert {row.id for row in await left(host)} == rows
    clock.advance(31)
    await jobs.run_due()
    assert await texts(host, room) == ["bell"]
    assert await left(host) == []


async def test_a_look_for_jobs_that_fails_is_not_the_last_one(host, room, schedule):
    await schedule("bell")
    services, renamed = host.services, "ALTER TABLE {} RENAME TO {}"
    async with services.database.write() as unit:
        await unit.session.execute(text(renamed.format("timers", "elsewhere")))
    jobs = Jobs(services, poll=0.01)
    with pytest.raises(Exception, match="timers"):
        await jobs.run_due()
    with capture_logs() as lines:
        jobs.start()
        async with asyncio.timeout(HANG_TIMEOUT):
            while not lines:  # noqa: ASYNC110 - it has no other sign
                await asyncio.sleep(0.01)
            async with services.database.write() as unit:
                await unit.session.execute(text(renamed.format("elsewhere", "timers")))
            while not await texts(host, room):  # noqa: ASYNC110 - it is in the database
                await asyncio.sleep(0.01)
        await jobs.stop()
