"""Dead letters: retried one by one or since a moment, deleted, and cleaned up when they are old."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mymozhem.deliveries import dead_letters, retention
from mymozhem.deliveries.dead_letters import NotDead
from mymozhem.deliveries.retention import Retention
from mymozhem.deliveries.tables import AttemptRow, DeliveryContextRow, DeliveryRow, StreamRow
from mymozhem.errors import NotFound
from tests.support.relay_host import FAILED, App
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

WEEK, MONTH = timedelta(days=7), timedelta(days=30)


@pytest.fixture
def post(post):
    """Every delivery has one attempt."""
    post.settings = post.settings.model_copy(update={"delivery_attempts": 1})
    return post


async def die(post, *numbers, **named):
    ids = await post.put(*numbers, **named)
    await post.run(App([FAILED] * len(numbers)))
    return ids


async def retry(post, delivery_id):
    async with post.database.write() as unit:
        return await dead_letters.retry(unit, post.outbox, delivery_id)


async def remove(post, delivery_id):
    async with post.database.write() as unit:
        return await dead_letters.remove(unit, delivery_id)


async def count(post, table):
    async with post.database.read() as session:
        return await session.scalar(select(func.count()).select_from(table))


async def test_a_letter_that_is_retried_keeps_its_id_and_comes_last_in_its_stream(post):
    (delivery_id,) = await die(post, 1)
    post.outbox.wake.clear()
    await post.put(2)
    retried = await retry(post, delivery_id)
    assert (retried.state, retried.failures, retried.settled_at) == ("pending", 0, None)
    assert post.outbox.wake.is_set()
    app = await post.run(App())
    assert app.numbers == [2, 1]
    assert (app.seen[1].id, app.seen[1].attempt) == (delivery_id, 2)
    assert app.seen[1].max_attempts == 2
    assert [outcome for _, outcome, _ in await post.attempts()][:2] == ["failed", "delivered"]


async def test_only_a_dead_letter_is_retried_or_deleted(post):
    (delivery_id,) = await post.put(1)
    for act in (retry, remove):
        with pytest.raises(NotDead):
            await act(post, delivery_id)
        with pytest.raises(NotFound):
            await act(post, "call_none")
    await post.run(App())
    with pytest.raises(NotDead):
        await retry(post, delivery_id)


async def test_a_letter_that_two_retry_at_once_is_told_once(post):
    (delivery_id,) = await die(post, 1)
    found = await asyncio.gather(
        *(retry(post, delivery_id) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(each, NotDead) for each in found) == 4
    assert (await post.run(App())).numbers == [1]
    assert (await post.stream()).next_at is None


async def test_all_that_died_since_a_moment_is_retried_in_order(post, monkeypatch):
    monkeypatch.setattr(dead_letters, "AT_ONCE", 2)
    await die(post, 1)
    post.advance(60)
    since = post.clock.now()
    await die(post, *range(2, 7))
    await die(post, 9, room="room_2")
    await die(post, 8, app="b")
    await post.put(7)
    found = await dead_letters.retry_since(post.database, post.outbox, since, app_id="a")
    assert found == 6
    told = (await post.run(App())).numbers
    assert [n for n in told if n != 9] == [7, 2, 3, 4, 5, 6]
    async with post.database.read() as session:
        assert await dead_letters.count(session) == {"a": 1, "b": 1}
    again = await dead_letters.retry_since(post.database, post.outbox, since - WEEK)
    assert again == 2
    assert await dead_letters.retry_since(post.database, post.outbox, since - WEEK) == 0


async def test_a_letter_is_deleted_with_its_attempts_and_the_body_that_nobody_else_needs(post):
    first, second = await die(post, 1, 2)
    await remove(post, first)
    assert [row.id for row in await post.rows()] == [second]
    assert await count(post, DeliveryContextRow) == 1
    await remove(post, second)
    for table in (DeliveryRow, DeliveryContextRow, AttemptRow):
        assert await count(post, table) == 0
    await post.put(3)
    assert (await post.run(App())).numbers == [3]


async def test_what_is_old_is_deleted_and_what_is_still_to_be_told_never(post, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    await die(post, 1)
    await post.put(*range(2, 7))
    await post.run(App())
    await post.put(7, room="room_2")
    keep = Retention(delivered=WEEK, dead=MONTH)
    assert await retention.clean(post.database, keep) == 0
    post.advance(WEEK.total_seconds() + 1)
    assert await retention.clean(post.database, keep) == 5
    assert await post.states() == ["dead", "pending"]
    post.advance((MONTH - WEEK).total_seconds())
    assert await retention.clean(post.database, keep) == 1
    assert await post.states() == ["pending"]
    for table in (DeliveryContextRow, StreamRow):
        assert await count(post, table) == 1
    await post.put(8)
    assert sorted((await post.run(App())).numbers) == [7, 8]


async def test_a_relay_cleans_up_by_itself(post):
    await post.put(1)
    await post.run(App())
    post.advance(WEEK.total_seconds() + 1)
    relay = post.relay(App(), keep=Retention())
    relay.start()
    async with asyncio.timeout(HANG_TIMEOUT):
        while await post.rows():  # noqa: ASYNC110 - what it waits for is in the database
            await asyncio.sleep(0.005)
    await relay.stop()
