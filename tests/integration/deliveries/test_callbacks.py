"""What an app accepts it tells of later: in time, too early, too late, twice, or never."""

import asyncio

import pytest

from mymozhem.contract.envelopes import ReplyEnvelope
from mymozhem.deliveries import dead_letters
from mymozhem.deliveries.results import CALLBACK
from mymozhem.errors import Conflict, NotFound
from tests.support.relay_host import ACCEPTED, FAILED, App, Slow

pytestmark = pytest.mark.both_engines

HOUR = CALLBACK.total_seconds()
ONE_ATTEMPT = {"delivery_attempts": 1}
OK = ReplyEnvelope(id="call", contract="1.0", data={})
NO = ReplyEnvelope(id="call", contract="1.0", outcome="refuse", data={"message": "No stamps."})


async def say(post, delivery_id, body=OK):
    await post.callbacks.accept("a", "analytics", delivery_id, body)


async def test_what_was_accepted_is_delivered_once_the_app_says_so_and_holds_its_stream(post):
    first, _ = await post.put(1, 2)
    app = await post.run(App([ACCEPTED]))
    post.advance(HOUR - 1)
    await post.run(app)
    assert app.numbers == [1]
    assert await post.states() == ["accepted", "pending"]
    assert await post.attempts() == [(1, "accepted", None)]
    for _ in range(2):
        await say(post, first)
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
    for _ in range(2):
        await say(post, delivery_id, NO)
    row = await post.row()
    assert row.state == "pending"
    assert (row.last_code, row.last_error, row.failures) == ("APP_FAILED", "No stamps.", 1)
    post.advance(30)
    await post.run(app)
    assert (await post.row()).state == "delivered"


async def test_a_callback_may_overtake_its_202(post):
    first, _ = await post.put(1, 2)
    slow = Slow(ACCEPTED)
    task = asyncio.create_task(post.relay(slow).run_due())
    await slow.asked.wait()
    await say(post, first)
    slow.let.set()
    await task
    assert await post.states() == ["delivered"] * 2
    assert slow.numbers == [1, 2]


async def test_a_dead_letter_that_the_app_has_after_all_is_none(post):
    post.settings = post.settings.model_copy(update=ONE_ATTEMPT)
    (delivery_id,) = await post.put(1)
    await post.run(App([FAILED]))
    await say(post, delivery_id, NO)
    assert (await post.row()).state == "dead"
    await say(post, delivery_id)
    assert (await post.row()).state == "delivered"
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
    await say(post, old)
    assert (await post.stream()).lease is not None
    slow.let.set()
    await task
    assert [each.id for each in slow.seen] == [head]
    assert await post.states() == ["delivered"] * 2


async def test_what_an_app_has_it_cannot_refuse_any_more(post):
    (delivery_id,) = await post.put(1)
    await post.run(App())
    await say(post, delivery_id)
    with pytest.raises(Conflict):
        await say(post, delivery_id, NO)
    assert (await post.row()).state == "delivered"


async def test_a_delivery_is_its_own_app_s_and_capability_s_alone(post):
    (delivery_id,) = await post.put(1)
    for app, capability, call in (
        ("b", "analytics", delivery_id),
        ("a", "notifications", delivery_id),
        ("a", "analytics", "call_none"),
    ):
        with pytest.raises(NotFound):
            await post.callbacks.accept(app, capability, call, OK)
    assert (await post.row()).state == "pending"
