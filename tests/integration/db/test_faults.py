"""A database that is away, busy or full is a typed 503, and the host recovers by itself."""

import asyncio
import sqlite3
from contextvars import Context

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError

from mymozhem.clock import HeldClock
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Unavailable
from tests.integration.db.tables import Counter
from tests.support.servers.closing_postgres import ClosingServer

pytestmark = pytest.mark.both_engines

only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


async def put(database, name):
    async with database.write() as unit:
        unit.session.add(Counter(name=name))


async def names(database):
    async with database.read() as session:
        return set(await session.scalars(select(Counter.name)))


async def terminate_others(database):
    """End every other connection of this database, as a restart of the server does."""
    async with database.write() as unit:
        await unit.session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


@only_postgresql
async def test_a_connection_lost_in_a_transaction_is_unavailable_and_the_next_request_works(
    database, database_url
):
    heard = []
    other = Database(database_url, clock=HeldClock())
    await other.open()

    async def lose():
        async with database.write() as unit:
            unit.after_commit(lambda: heard.append("never"))
            unit.session.add(Counter(name="lost"))
            await unit.session.flush()
            await asyncio.create_task(terminate_others(other), context=Context())
            await unit.session.execute(select(1))

    with pytest.raises(Unavailable) as caught:
        await lose()
    assert (caught.value.status, caught.value.code) == (503, "DATABASE_UNAVAILABLE")
    await put(database, "found")
    assert await names(database) == {"found"}
    assert heard == []
    await other.close()


@only_postgresql
async def test_connections_closed_while_idle_are_replaced_unseen(database, database_url):
    other = Database(database_url, clock=HeldClock())
    await other.open()
    await put(database, "before")
    await names(database)
    await terminate_others(other)
    await other.close()
    await asyncio.sleep(0.2)  # the farewell and the end arrive apart: see the next test
    await put(database, "after")
    assert await names(database) == {"before", "after"}


@only_postgresql
async def test_a_farewell_without_an_end_is_unavailable_and_the_next_request_works(database_url):
    async with ClosingServer(database_url).running() as server:
        database = Database(server.url, clock=HeldClock())
        await database.open()
        await put(database, "before")
        await names(database)
        server.say()
        await asyncio.sleep(0.1)
        with pytest.raises(Unavailable):
            await put(database, "never")
        with pytest.raises(Unavailable):
            await names(database)
        await put(database, "after")
        assert await names(database) == {"before", "after"}
        await database.close()


@only_postgresql
async def test_a_serialization_failure_is_unavailable(database):
    async def fail():
        async with database.write() as unit:
            await unit.session.execute(
                text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$")
            )

    with pytest.raises(Unavailable):
        await fail()


async def test_a_server_that_is_not_there_is_unavailable():
    database = Database("postgresql://postgres@127.0.0.1:1/none", clock=HeldClock())
    with pytest.raises(Unavailable):
        await database.open()


@only_sqlite
async def test_a_foreign_lock_is_unavailable_until_it_is_given_back(database_url):
    database = Database(f"{database_url}?timeout=0.05", clock=HeldClock())
    await database.open()
    foreign = sqlite3.connect(make_url(database_url).database, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        await put(database, "never")
    assert await names(database) == set()
    foreign.execute("ROLLBACK")
    foreign.close()
    await put(database, "one")
    assert await names(database) == {"one"}
    await database.close()


@only_sqlite
async def test_nothing_runs_outside_the_transaction_that_could_not_begin(database_url):
    database = Database(f"{database_url}?timeout=0.05", clock=HeldClock())
    await database.open()
    foreign = sqlite3.connect(make_url(database_url).database, isolation_level=None)

    async def insist():
        async with database.write() as unit:
            foreign.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await unit.session.execute(text("SELECT 1"))
            foreign.execute("ROLLBACK")
            await unit.session.execute(
                text("INSERT INTO test_counter (name, value, state) VALUES ('never', 0, 'open')")
            )
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await insist()
    foreign.close()
    assert await names(database) == set()
    await database.close()


@only_sqlite
async def test_a_full_disk_is_unavailable_until_there_is_room(database):
    async def pages(count):
        async with database.write() as unit:
            await unit.session.execute(text(f"PRAGMA max_page_count = {count}"))

    await pages(1)  # SQLite takes this as the present size, so that nothing more fits
    with pytest.raises(Unavailable):
        async with database.write() as unit:
            unit.session.add(Counter(name="never", document="x" * 100_000))
    await pages(1_000_000)
    await put(database, "one")
    assert await names(database) == {"one"}


async def test_a_wrong_statement_is_no_fault_of_the_database(database):
    async with database.read() as session:
        with pytest.raises(DBAPIError):
            await session.execute(text("SELECT nothing FROM nowhere"))
