"""Parameters of an address reach the server, and a pooler may give each transaction any session."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from mymozhem.db.engine import DatabaseUrlRefused, create_engine
from mymozhem.migrations import current, downgrade, head, upgrade
from tests.support.pgbouncer import pgbouncer

pytestmark = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)

SETTINGS = "SELECT current_setting('application_name'), current_setting('lock_timeout')"
OF_THE_CLIENT = "SELECT name FROM pg_settings WHERE source = 'client' ORDER BY name"


async def rows(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Return the rows of the last statement, each in a transaction of its own."""
    engine = create_engine(url)
    found: list[tuple[object, ...]] = []
    try:
        for statement in statements:
            async with engine.begin() as connection:
                found = [tuple(row) for row in await connection.execute(text(statement))]
    finally:
        await engine.dispose()
    return found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sslmode=prefer&connect_timeout=5", ("mymozhem", "10s")),
        ("application_name=evening&keepalives=1", ("evening", "10s")),
        ("options=-c%20lock_timeout%3D7s&sslmode=disable", ("mymozhem", "10s")),
        ("pgbouncer=true", ("mymozhem", "10s")),
    ],
)
async def test_an_address_with_parameters_connects(database_url: str, query: str, found: object):
    assert await rows(f"{database_url}?{query}", SETTINGS) == [found]


async def test_the_server_without_tls_is_refused_if_tls_is_required(database_url: str):
    with pytest.raises(ConnectionError, match="SSL"):
        await rows(f"{database_url}?sslmode=require", SETTINGS)
    with pytest.raises(DatabaseUrlRefused, match="sslmode"):
        await rows(f"{database_url}?sslmode=nonsense", SETTINGS)


async def test_for_a_pooler_nothing_is_kept_in_the_session(database_url: str):
    url = f"{database_url}?pgbouncer=true"
    assert await rows(url, "SELECT 1", "SELECT name FROM pg_prepared_statements") == []
    assert await rows(url, OF_THE_CLIENT) == [("client_encoding",)]
    named = await rows(database_url, "SELECT 1", "SELECT count(*) FROM pg_prepared_statements")
    assert named != [(0,)]  # as it is without a pooler


@pytest.fixture
def pooler(database_url: str) -> Iterator[str]:
    with pgbouncer(database_url) as address:
        yield address


async def test_the_host_works_behind_pgbouncer_in_transaction_mode(pooler: str):
    url = f"{pooler}?pgbouncer=true"
    await downgrade(url)
    await upgrade(url)
    assert await current(url) == head()
    writing, reading = create_engine(url), create_engine(url, readonly=True)

    async def work(number: int) -> tuple[object, ...]:
        engine = writing if number % 2 else reading
        for turn in range(5):
            async with engine.begin() as connection:
                added = await connection.scalar(
                    text("SELECT CAST(:a AS integer) + 1 FROM (SELECT count(*) FROM rooms) AS one"),
                    {"a": turn},
                )
                assert added == turn + 1
                found = (await connection.execute(text(SETTINGS))).one()
        return tuple(found)

    try:
        done = await asyncio.gather(*(work(number) for number in range(8)))
    finally:
        await writing.dispose()
        await reading.dispose()
    assert set(done) == {("mymozhem", "10s")}


async def test_an_address_of_pgbouncer_without_the_parameter_says_what_is_missing(pooler: str):
    with pytest.raises(DatabaseUrlRefused, match="pgbouncer=true"):
        await rows(pooler, "SELECT 1")
