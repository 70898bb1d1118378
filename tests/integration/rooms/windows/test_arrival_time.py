"""What counts is when a submission arrived, whatever it waited for and wherever its sender is."""

import asyncio
from contextlib import asynccontextmanager
from contextvars import Context

import pytest
from sqlalchemy import text

from mymozhem.errors import Conflict
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.windows import commands, downtime
from mymozhem.rooms.windows.submit import submit
from tests.support.apps.window_app import RULES, opening, send


@asynccontextmanager
async def slow_transaction(window_room):
    """Hold the room, as a long import or a slow disk would."""
    async with room_transaction(window_room.host.services, window_room.room.id) as transaction:
        yield transaction


def start(coroutine):
    """Begin a request of its own, which knows of no transaction here."""
    return asyncio.create_task(coroutine, context=Context())


async def waiting(transaction):
    """Let others come as far as they can: on PostgreSQL, to the lock of the room."""
    for _ in range(20):
        await asyncio.sleep(0)
    if transaction.unit.session.bind.dialect.name != "postgresql":
        return
    locks = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while not await transaction.session.scalar(locks):  # noqa: ASYNC110 - rows, no event
        await asyncio.sleep(0)


async def test_two_hundred_behind_a_slow_transaction_are_timed_by_their_receipt(window_room):
    guests = await window_room.crowd(200)
    await window_room.do(opening(rules=RULES, judge="rules", points=1, durationMs=1_000))
    arriving = []
    async with slow_transaction(window_room) as transaction:
        for place, guest in enumerate(guests):
            if place % 50 == 0:
                window_room.clock.advance(0.2)
            arriving.append(start(send(window_room.host, window_room.room, guest, {"n": 4})))
            await asyncio.sleep(0)
        await waiting(transaction)
        window_room.clock.advance(0.3)  # past the end
        late = start(window_room.send(0, {"n": 4}))
        await asyncio.sleep(0)
        window_room.clock.advance(30)
    accepted = await asyncio.gather(*arriving)
    assert [each.elapsed_ms for each in accepted] == [
        200 * (1 + place // 50) for place in range(200)
    ]
    with pytest.raises(Conflict) as closed:
        await late
    assert closed.value.code == "WINDOW_CLOSED"
    rows = await window_room.rows()
    assert [row.id for row in rows] == [each.submission_id for each in accepted]
    await window_room.jobs.run_due()
    assert len(window_room.app.closed[0].submissions.id) == 200


async def test_twenty_who_lost_their_connection_and_repeat_are_counted_once(window_room):
    guests = await window_room.crowd(20)
    await window_room.do(opening(submissions="many"))
    async with slow_transaction(window_room) as transaction:
        arriving = [
            start(send(window_room.host, window_room.room, guest, {"n": place}, key=f"k{place}"))
            for place, guest in enumerate(guests)
        ]
        await waiting(transaction)
        for request in arriving:
            request.cancel()
        gone = await asyncio.gather(*arriving, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in gone)
        again = [
            start(send(window_room.host, window_room.room, guest, {"n": place}, key=f"k{place}"))
            for place, guest in enumerate(guests)
        ]
        await asyncio.sleep(0)
    accepted = await asyncio.gather(*again)
    window_room.clock.advance(20)
    third = await asyncio.gather(*(
        send(window_room.host, window_room.room, guest, {"n": place}, key=f"k{place}")
        for place, guest in enumerate(guests)
    ))  # fmt: skip
    assert third == accepted
    rows = await window_room.rows()
    assert [row.id for row in rows] == [each.submission_id for each in accepted]
    assert (await window_room.window()).answered == 20


async def test_what_arrived_before_the_organizer_closes_is_counted_and_nothing_after(window_room):
    guests = await window_room.crowd(30)
    await window_room.do(opening())
    before = [
        start(send(window_room.host, window_room.room, guest, {"n": 1})) for guest in guests[:15]
    ]
    await asyncio.sleep(0)
    await window_room.control(commands.close)
    after = [
        start(send(window_room.host, window_room.room, guest, {"n": 1})) for guest in guests[15:]
    ]
    accepted = [each.submission_id for each in await asyncio.gather(*before)]
    late = await asyncio.gather(*after, return_exceptions=True)
    assert {getattr(each, "code", each) for each in late} == {"WINDOW_CLOSED"}
    await window_room.jobs.run_due()
    assert list(window_room.app.closed[0].submissions.id) == accepted


async def test_a_submission_that_a_pause_overtakes_counts_by_the_pauses_before_it(window_room):
    """Received after 2 s; before it is written, the window is paused, or paused and resumed."""
    services, clock = window_room.host.services, window_room.clock
    await window_room.do(opening(durationMs=10_000))

    async def late(guest, received):
        caller = window_room.host.who(window_room.guests[guest])
        payload = {"n": 4}
        return await submit(services, window_room.room.id, caller, "w", payload, received=received)

    clock.advance(2)
    before = clock.monotonic()
    clock.advance(1)
    await window_room.control(commands.pause)
    clock.advance(10)
    during = clock.monotonic()
    clock.advance(20)
    assert (await late(0, before)).elapsed_ms == 2_000
    with pytest.raises(Conflict) as paused:
        await late(1, during)
    assert paused.value.code == "WINDOW_PAUSED"

    await window_room.control(commands.resume)
    clock.advance(1)
    await window_room.control(commands.pause)
    clock.advance(50)
    await window_room.control(commands.resume)
    assert (await late(1, before)).elapsed_ms == 2_000
    with pytest.raises(Conflict) as paused:
        await late(2, during)
    assert paused.value.code == "WINDOW_PAUSED"
    assert (await late(2, clock.monotonic())).elapsed_ms == 4_000
    assert [row.elapsed_ms for row in await window_room.rows()] == [2_000, 2_000, 4_000]


async def test_what_arrives_while_the_database_is_away_counts_from_before(window_room):
    services, clock = window_room.host.services, window_room.clock
    await window_room.do(opening(durationMs=10_000))
    await downtime.beat(services)
    clock.advance(2)
    await downtime.beat(services)
    clock.advance(60)
    received = clock.monotonic()
    clock.advance(60)
    await downtime.recover(services)
    caller = window_room.host.who(window_room.guests[0])
    accepted = await submit(services, window_room.room.id, caller, "w", {"n": 4}, received=received)
    assert accepted.elapsed_ms == 2_000
