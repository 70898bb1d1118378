"""The relay: what is told in order, tried again, parked, given up, and never lost."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from mymozhem.deliveries import results
from mymozhem.deliveries.relay import LEASE
from tests.support.relay_host import ACCEPTED, DELIVERED, FAILED, PARKED, App, Slow, telling
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

FIRST, SECOND = 30, 600


async def test_what_a_transaction_tells_arrives_as_it_was_and_in_order(post):
    ids = await post.put(1, 2, 3)
    app = await post.run(App())
    assert [each.id for each in app.seen] == ids
    assert app.numbers == [1, 2, 3]
    (first, *_) = app.seen
    assert (first.app_id, first.app_version, first.hook) == ("a", "1.0.0", "on_event")
    assert (first.capability, first.room_id) == ("analytics", "room_1")
    assert first.context == {"contract": "1.0", "big": 10**30}
    assert (first.attempt, first.max_attempts) == (1, 3)
    assert await post.states() == ["delivered"] * 3
    assert await post.attempts() == [(1, "delivered", None)] * 3
    assert (await post.stream()).next_at is None


async def test_nothing_is_told_of_what_was_rolled_back(post):
    with suppress(ZeroDivisionError):
        async with post.database.write() as unit:
            await post.outbox.enqueue(unit, [telling([1])])
            raise ZeroDivisionError
    assert not post.outbox.wake.is_set()
    assert (await post.run(App())).seen == []


async def test_a_delivery_is_tried_three_times_with_growing_waits_and_is_then_a_dead_letter(post):
    (delivery_id,) = await post.put(1)
    app = App([FAILED] * 9)
    for wait in (0, FIRST - 1, 1, SECOND - 1, 1, 86_400):
        post.advance(wait)
        await post.run(app)
    assert [(each.id, each.attempt) for each in app.seen] == [(delivery_id, n) for n in (1, 2, 3)]
    assert len({str(each.context) + str(each.request) for each in app.seen}) == 1
    row = await post.row()
    assert (row.state, row.attempts, row.last_code) == ("dead", 3, "APP_BAD_STATUS")
    assert await post.attempts() == [(n, "failed", "APP_BAD_STATUS") for n in (1, 2, 3)]


async def test_a_failing_head_holds_its_stream_until_it_is_dead_and_no_other_stream(post):
    await post.put(1, 2)
    await post.put(9, room="room_2")
    await post.put(8, capability="notifications")
    await post.put(7, app="b")
    app = await post.run(App([FAILED]))
    assert sorted(app.numbers) == [1, 7, 8, 9]
    app.answers = [FAILED, FAILED]
    for wait in (FIRST, SECOND):
        post.advance(wait)
        await post.run(app)
    assert app.numbers[4:] == [1, 1, 2]
    assert sorted(await post.states()) == ["dead"] + ["delivered"] * 4


async def test_what_cannot_be_carried_is_a_failed_attempt_and_its_text_can_be_stored(post):
    await post.put(1, 2)
    app = App([ValueError("secret"), FAILED.__class__(FAILED.outcome, "X" * 99, "nul\0 \ud800")])
    await post.run(app)
    post.advance(FIRST)
    await post.run(app)
    codes = [code for _, _, code in await post.attempts()]
    assert codes == ["HOST_ERROR", "X" * 64]
    assert (await post.rows())[0].last_error == "nul\ufffd \ufffd"


async def test_a_paused_app_parks_the_head_without_using_attempts_up(post):
    await post.put(1, 2)
    app = App([PARKED] * 5)
    for _ in range(5):
        await post.run(app)
        post.advance(results.PARKED.total_seconds())
    assert app.numbers == [1] * 5
    assert {each.attempt for each in app.seen} == {1}
    row, stream = (await post.rows())[0], await post.stream()
    assert (row.attempts, row.last_code, stream.parked) == (0, "APP_PAUSED", True)
    assert await post.attempts() == []
    await post.run(app)
    assert app.numbers == [1] * 6 + [2]
    assert await post.states() == ["delivered"] * 2
    assert not (await post.stream()).parked


async def test_a_parked_stream_goes_on_at_once_when_its_app_is_back(post):
    await post.put(1)
    await post.put(2, app="b")
    app = await post.run(App([PARKED, PARKED]))
    post.outbox.wake.clear()
    await post.outbox.app_is_back(post.database, "a")
    assert post.outbox.wake.is_set()
    await post.run(app)
    assert [each.app_id for each in app.seen[2:]] == ["a"]


async def test_once_an_app_takes_something_again_it_gets_all_that_is_parked_for_it(post):
    await post.put(1)
    await post.run(App([PARKED]))
    post.advance(30)
    for room in range(2, 5):
        await post.put(room, room=f"room_{room}")
    app = await post.run(App([PARKED] * 3))
    assert sorted(app.numbers) == [2, 3, 4]
    post.advance(30)
    await post.run(app)
    assert sorted(app.numbers[3:]) == [1, 2, 3, 4]


async def test_what_a_dead_process_carried_is_carried_again_once_its_lease_has_ended(post):
    (delivery_id,) = await post.put(1)
    slow = Slow()
    task = asyncio.create_task(post.relay(slow).run_due())
    await slow.asked.wait()
    app = await post.run(App())
    assert app.seen == []
    post.advance(LEASE.total_seconds() + 1)
    await post.run(app)
    assert [(each.id, each.attempt) for each in app.seen] == [(delivery_id, 2)]
    assert await post.attempts() == [(1, "lost", "HOST_LOST"), (2, "delivered", None)]
    task.cancel()


@pytest.mark.parametrize("late", [DELIVERED, FAILED, PARKED, ACCEPTED], ids=lambda r: r.outcome)
async def test_what_a_late_process_found_out_is_dropped(post, late):
    await post.put(1)
    slow, other = Slow(late), Slow()
    one = asyncio.create_task(post.relay(slow).run_due())
    await slow.asked.wait()
    post.advance(LEASE.total_seconds() + 1)
    two = asyncio.create_task(post.relay(other).run_due())
    await other.asked.wait()
    slow.let.set()
    await one
    row, stream = await post.row(), await post.stream()
    assert (row.state, stream.lease is None) == ("pending", False)
    assert [outcome for _, outcome, _ in await post.attempts()] == ["lost", "running"]
    other.let.set()
    await two
    assert (await post.row()).state == "delivered"
    assert [outcome for _, outcome, _ in await post.attempts()] == ["lost", "delivered"]


async def test_lost_attempts_use_none_up_but_a_delivery_that_kills_its_host_is_given_up(post):
    await post.put(1, 2)
    for _ in range(results.MAX_LOST):
        slow = Slow()
        task = asyncio.create_task(post.relay(slow).run_due())
        await slow.asked.wait()
        task.cancel()
        post.advance(LEASE.total_seconds() + 1)
    app = await post.run(App())
    assert app.numbers == [2]
    assert sorted(await post.states()) == ["dead", "delivered"]


async def test_an_app_that_never_answers_is_left_before_the_lease_ends(post):
    await post.put(1)
    await post.run(Slow(), lease=timedelta(milliseconds=50))
    assert await post.attempts() == [(1, "failed", "APP_TIMEOUT")]


async def test_several_streams_are_carried_at_the_same_time_and_no_more_than_the_width(post):
    for room in range(5):
        await post.put(room, room=f"room_{room}")
    slow = Slow()
    task = asyncio.create_task(post.relay(slow, width=3).run_due())
    async with asyncio.timeout(HANG_TIMEOUT):
        while len(slow.seen) < 3:  # noqa: ASYNC110 - it has no other sign
            await asyncio.sleep(0.001)
    assert len(slow.seen) == 3
    slow.let.set()
    assert await task == 5


async def test_two_relays_carry_each_delivery_once(post):
    for room in range(6):
        await post.put(*range(5), room=f"room_{room}")
    app = App()
    await asyncio.gather(post.run(app, width=2), post.run(app, width=2))
    assert len(app.seen) == len({each.id for each in app.seen}) == 30
    for room in range(6):
        told = [each.request["n"] for each in app.seen if each.room_id == f"room_{room}"]
        assert told == sorted(told)


async def test_a_relay_that_runs_is_woken_by_a_commit_and_stops_without_losing_anything(post):
    app, slow = App(), Slow()
    relay = post.relay(app, poll=60)
    relay.start()
    relay.start()
    async with asyncio.timeout(HANG_TIMEOUT):
        await post.put(1)
        while await post.states() != ["delivered"]:  # noqa: ASYNC110 - it is in the database
            await asyncio.sleep(0.005)
        await relay.stop()
        await relay.stop()
        await post.put(2)
        stopped = post.relay(slow, poll=60)
        stopped.start()
        await slow.asked.wait()
        await stopped.stop()
    assert (await post.row_of(2)).state == "pending"
    post.advance(0.001)
    assert (await post.run(App())).numbers == [2]


async def test_streams_are_written_by_many_at_once_without_a_gap(post):
    await asyncio.gather(*(post.put(n, n) for n in range(20)))
    rows = sorted(await post.rows(), key=lambda row: row.position)
    assert [row.position for row in rows] == list(range(1, 41))
    assert len(await asyncio.gather(post.run(App()))) == 1
    assert await post.states() == ["delivered"] * 40


async def test_slow_apps_leave_places_for_others(post):
    for room in range(8):
        for app in ("slow", "slower"):
            await post.put(f"{app}{room}", app=app, room=f"room_{room}")
    slow = Slow()

    async def ask(delivery):
        return await (App() if delivery.app_id == "a" else slow)(delivery)

    relay = post.relay(ask, width=8, poll=60)
    relay.start()
    async with asyncio.timeout(HANG_TIMEOUT):
        await slow.asked.wait()
        await post.put(1)
        while (await post.row_of(1)).state != "delivered":  # noqa: ASYNC110 - in the database
            await asyncio.sleep(0.005)
        assert len(slow.seen) < 8
        slow.let.set()
        while set(await post.states()) != {"delivered"}:  # noqa: ASYNC110 - in the database
            await asyncio.sleep(0.005)
        await relay.stop()
    assert len(slow.seen) == 16
