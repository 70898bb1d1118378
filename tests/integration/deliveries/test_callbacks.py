"""What an app accepts it tells of later: in time, too early, too late, twice, or never."""

import asyncio

import pytest

from mymozhem.deliveries import dead_letters
from mymozhem.deliveries.settling import CALLBACK
from mymozhem.errors import NotFound
from tests.integration.deliveries.post import ACCEPTED, FAILED, App, Slow

HOUR = CALLBACK.total_seconds()
ONE_ATTEMPT = {"delivery_attempts": 1}


async def test_what_was_accepted_is_delivered_once_the_app_says_so_and_holds_its_stream(post):
    first, _ = await post.put(1, 2)
    app = await post.run(App([ACCEPTED]))
    post.advance(HOUR - 1)
    await post.run(app)
    assert app.numbers == [1]
    assert await post.states() == ["accepted", "pending"]
    assert await post.attempts() == [(1, "accepted", None)]
    for _ in range(2):
        assert await post.callbacks.accept("a", first) == "delivered"
    await post.run(app)
    assert app.numbers == [1, 2]
    assert await post.attempts() == [(1, "delivered", None)] * 2


async def test_a_callback_that_does_not_come_in_an_hour_is_a_failed_attempt(post):
    await post.put(1)
    app = App([ACCEPTED] * 3)
    for wait in (0, HOUR, 30, HOUR, 600, HOUR):
        post.advance(wait)
        await post.run(app)
    assert app.numbers == [1] * 3
    assert (await post.row()).state == "dead"
    assert await post.attempts() == [(n, "failed", "APP_NO_CALLBACK") for n in (1, 2, 3)]


async def test_an_app_may_say_that_it_failed_after_all(post):
    (delivery_id,) = await post.put(1)
    app = await post.run(App([ACCEPTED]))
    state = await post.callbacks.accept("a", delivery_id, delivered=False, message="No stamps.")
    assert state == "pending"
    row = await post.row()
    assert (row.last_code, row.last_error, row.failures) == ("APP_FAILED", "No stamps.", 1)
    post.advance(30)
    await post.run(app)
    assert (await post.row()).state == "delivered"


async def test_a_callback_may_overtake_its_202(post):
    first, _ = await post.put(1, 2)
    slow = Slow(ACCEPTED)
    task = asyncio.create_task(post.relay(slow).run_due())
    await slow.asked.wait()
    assert await post.callbacks.accept("a", first) == "delivered"
    slow.let.set()
    await task
    assert await post.states() == ["delivered"] * 2
    assert slow.numbers == [1, 2]


async def test_a_dead_letter_that_the_app_has_after_all_is_none(post):
    post.settings = post.settings.model_copy(update=ONE_ATTEMPT)
    (delivery_id,) = await post.put(1)
    await post.run(App([FAILED]))
    assert await post.callbacks.accept("a", delivery_id, delivered=False) == "dead"
    assert await post.callbacks.accept("a", delivery_id) == "delivered"
    assert (await post.stream()).next_at is None


async def test_a_callback_for_one_that_waits_further_back_moves_no_other(post):
    post.settings = post.settings.model_copy(update=ONE_ATTEMPT)
    (old,) = await post.put(1)
    await post.run(App([FAILED]))
    (head,) = await post.put(2)
    async with post.database.write() as unit:
        await dead_letters.retry(unit, post.outbox, old)
    slow = Slow()
    task = asyncio.create_task(post.relay(slow).run_due())
    await slow.asked.wait()
    assert await post.callbacks.accept("a", old) == "delivered"
    assert (await post.stream()).lease is not None
    slow.let.set()
    await task
    assert [each.id for each in slow.seen] == [head]
    assert await post.states() == ["delivered"] * 2


async def test_a_call_is_its_own_app_s_alone(post):
    (delivery_id,) = await post.put(1)
    for app, call in (("b", delivery_id), ("a", "call_none")):
        with pytest.raises(NotFound):
            await post.callbacks.accept(app, call)
        assert not await post.callbacks.knows(app, call)
    assert await post.callbacks.knows("a", delivery_id)
    assert (await post.row()).state == "pending"
