"""One place commits: all of a unit of work or nothing of it, in turn, and announced afterwards."""

import asyncio
from contextvars import Context
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from mymozhem.clock import SystemClock
from mymozhem.db import unit_of_work
from mymozhem.db.unit_of_work import Database, TooManyWriters, in_transaction
from tests.integration.db.tables import Counter
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


async def put(database, name="one", **columns):
    async with database.write() as unit:
        unit.session.add(Counter(name=name, **columns))


async def names(database):
    async with database.read() as session:
        return list(await session.scalars(select(Counter.name).order_by(Counter.name)))


async def value(database, name="one"):
    async with database.read() as session:
        return await session.scalar(select(Counter.value).where(Counter.name == name))


async def test_twenty_concurrent_increments_end_at_twenty(database):
    await put(database)

    async def increment():
        async with database.write() as unit:
            counter = await unit.session.get_one(Counter, "one", with_for_update=True)
            seen = counter.value
            await asyncio.sleep(0)
            counter.value = seen + 1

    await asyncio.gather(*(increment() for _ in range(20)))
    assert await value(database) == 20


@only_sqlite
async def test_writers_of_sqlite_take_turns_in_the_order_in_which_they_came(database):
    order = []

    async def write(number):
        async with database.write() as unit:
            await unit.session.execute(select(1))
            order.append(number)

    await asyncio.gather(*(write(number) for number in range(30)))
    assert order == list(range(30))


async def test_forty_writers_of_one_row_take_one_connection_and_others_overtake_them(database):
    order, first_is_in, may_end = [], asyncio.Event(), asyncio.Event()

    async def first():
        async with database.write(turn="busy") as unit:
            await unit.session.execute(select(1))
            first_is_in.set()
            await may_end.wait()
            order.append("busy")

    async def write(turn):
        async with database.write(turn=turn) as unit:
            await unit.session.execute(select(1))
            order.append(turn)

    async with asyncio.timeout(HANG_TIMEOUT):
        tasks = [asyncio.create_task(first())]
        await first_is_in.wait()
        tasks += [asyncio.create_task(write("busy")) for _ in range(40)]
        await asyncio.sleep(0.05)  # all of them have asked
        assert database.connections_in_use()["writer"] == 1
        tasks.append(asyncio.create_task(write("other")))
        if database.dialect == "postgresql":
            await tasks[-1]  # it waits for nobody
        else:
            await asyncio.sleep(0.05)
        may_end.set()
        await asyncio.gather(*tasks)
    # SQLite has one writer at a time: there, the other comes as soon as that one has ended.
    assert order.index("other") <= 2
    assert order.count("busy") == 41


async def test_a_turn_that_does_not_come_is_reported_and_changes_nothing(database, monkeypatch):
    monkeypatch.setattr(unit_of_work, "TURN_SECONDS", 0.01)
    async with database.write(turn="busy"):
        with pytest.raises(TooManyWriters) as caught:
            await asyncio.create_task(put_in_turn(database, "busy"), context=Context())
    assert (caught.value.status, caught.value.code) == (503, "TOO_MANY_WRITERS")
    await put_in_turn(database, "busy")
    assert await names(database) == ["busy"]


async def put_in_turn(database, turn):
    async with database.write(turn=turn) as unit:
        unit.session.add(Counter(name=turn))


async def test_callbacks_run_in_order_once_the_work_is_visible_to_others(database):
    heard = []
    async with database.write() as unit:
        unit.session.add(Counter(name="one"))
        unit.after_commit(lambda: heard.append(("first", in_transaction())))
        unit.after_commit(lambda: heard.append(("second", in_transaction())))
        await unit.session.flush()
        assert heard == []
    assert heard == [("first", False), ("second", False)]
    assert await names(database) == ["one"]


async def test_a_failing_callback_is_logged_and_silences_no_other(database, caplog):
    heard = []
    async with database.write() as unit:
        unit.after_commit(lambda: heard.append(1 / 0))
        unit.after_commit(lambda: heard.append("second"))
    assert heard == ["second"]
    assert "ZeroDivisionError" in caplog.text


async def test_an_error_rolls_back_and_announces_nothing(database):
    heard = []

    async def fail():
        async with database.write() as unit:
            unit.after_commit(lambda: heard.append("never"))
            unit.session.add(Counter(name="one"))
            await unit.session.flush()
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await fail()
    assert heard == []
    assert await names(database) == []


async def test_a_broken_constraint_at_the_commit_passes_through_and_announces_nothing(database):
    await put(database)
    heard = []

    async def repeat():
        async with database.write() as unit:
            unit.after_commit(lambda: heard.append("never"))
            unit.session.add(Counter(name="one"))

    with pytest.raises(IntegrityError):
        await repeat()
    assert heard == []


async def test_a_bad_item_in_a_savepoint_leaves_its_neighbours_alone(database):
    async with database.write() as unit:
        for name in ["one", "two", "one", "three"]:
            try:
                async with unit.session.begin_nested():
                    unit.session.add(Counter(name=name))
            except IntegrityError:
                unit.session.expunge_all()
    assert await names(database) == ["one", "three", "two"]


async def test_a_cancelled_task_leaves_nothing_and_hands_its_turn_on(database):
    flushed = asyncio.Event()

    async def hang():
        async with database.write() as unit:
            unit.session.add(Counter(name="one"))
            await unit.session.flush()
            flushed.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await flushed.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await put(database, "two")
    assert await names(database) == ["two"]


async def test_a_task_cancelled_anywhere_has_stored_all_and_said_so_or_nothing(database):
    await put(database)

    async def work(announced):
        async with database.write() as unit:
            unit.after_commit(lambda: announced.append(True))
            counter = await unit.session.get_one(Counter, "one", with_for_update=True)
            counter.value += 1
            await unit.session.flush()
            counter.value += 1

    stored = 0
    for steps in range(40):
        announced = []
        task = asyncio.create_task(work(announced))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        stored += 2 * len(announced)
        assert await value(database) == stored
    await work([])
    assert await value(database) == stored + 2


async def test_a_cancellation_during_the_commit_waits_for_it_and_comes_after(database):
    task: asyncio.Task[None]

    async def work():
        async with database.write() as unit:
            unit.session.add(Counter(name="one"))
            unit.after_commit(task.cancel)
            asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.create_task(work())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await names(database) == ["one"]


async def test_a_second_transaction_inside_an_open_one_is_refused(database):
    async with database.write() as unit:
        for attempt in (database.read, database.write):
            with pytest.raises(RuntimeError, match="already open"):
                async with attempt():
                    pass
        unit.session.add(Counter(name="one"))
    async with database.read():
        with pytest.raises(RuntimeError, match="already open"):
            async with database.write():
                pass
    assert await names(database) == ["one"]


async def test_a_task_started_inside_a_transaction_is_inside_until_it_ends(database):
    ended = asyncio.Event()
    seen = []

    async def watch():
        seen.append(in_transaction())
        await ended.wait()
        seen.append(in_transaction())

    assert not in_transaction()
    async with database.write():
        assert in_transaction()
        task = asyncio.create_task(watch())
        await asyncio.sleep(0)
    ended.set()
    await task
    assert seen == [True, False]


async def test_a_read_sees_one_snapshot_while_others_write(database):
    await put(database)
    async with database.read() as session:
        before = await session.scalar(select(Counter.value))

        async def write():
            async with database.write() as unit:
                (await unit.session.get_one(Counter, "one")).value = 7

        # A context of its own: the writer is another task, not a child of this transaction.
        await asyncio.get_running_loop().create_task(write(), context=Context())
        assert await session.scalar(select(Counter.value)) == before == 0
    assert await value(database) == 7


async def test_a_read_cannot_write(database):
    async with database.read() as session:
        with pytest.raises(DBAPIError):
            await session.execute(text("UPDATE test_counter SET value = 1"))


async def test_time_is_the_held_clock_as_long_as_one_is_held(database, clock):
    clock.advance(timedelta(days=365))
    async with database.write() as unit:
        assert unit.now == clock.now()
    assert await database.now() == clock.now()
    assert await database.clock_skew() == timedelta()


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_time_is_otherwise_that_of_the_database(database_url):
    database = Database(database_url, clock=SystemClock())
    await database.open()
    async with database.write() as unit:
        began = (await unit.session.execute(select(func.now()))).scalar_one()
        assert abs(unit.now - began) < timedelta(seconds=5)
        assert unit.now.microsecond % 1000 == 0
    assert unit.now <= await database.now()
    assert abs(await database.clock_skew()) < timedelta(seconds=1)
    await database.close()
