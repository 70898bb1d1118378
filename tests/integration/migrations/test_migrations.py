"""The steps lead to exactly what the models say, and what differs is named."""

import asyncio

import pytest
from sqlalchemy import text

from mymozhem.db import schema_revision
from mymozhem.db.all_tables import import_tables
from mymozhem.db.engine import create_engine
from mymozhem.migrations import (
    BrokenReferences,
    check_drift,
    current,
    downgrade,
    head,
    upgrade,
)

pytestmark = pytest.mark.both_engines


async def execute(url, *statements):
    engine = create_engine(url, migrating=True)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture
async def empty_url(database_url):
    """A database without a table; the fixture's are dropped."""
    engine = create_engine(database_url, migrating=True)
    async with engine.begin() as connection:
        await connection.run_sync(import_tables().drop_all)
    await engine.dispose()
    return database_url


async def test_a_database_made_from_the_models_does_not_differ_from_them(database_url):
    assert await check_drift(database_url) == []


async def test_every_difference_is_named(database_url):
    await execute(
        database_url,
        "DROP INDEX ix_rooms_created_at",
        "ALTER TABLE users DROP COLUMN avatar_url",
        "CREATE TABLE stray (id INTEGER PRIMARY KEY)",
    )
    found = " ".join(await check_drift(database_url))
    for name in ("ix_rooms_created_at", "avatar_url", "stray"):
        assert name in found


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_missing_check_is_named(database_url):
    await execute(database_url, "ALTER TABLE rooms DROP CONSTRAINT ck_rooms_capacity")
    assert await check_drift(database_url) == ["check ck_rooms_capacity is missing"]


async def test_a_database_that_was_never_migrated_has_no_revision(empty_url):
    assert await current(empty_url) is None


async def test_up_leads_to_the_models_and_down_to_nothing(empty_url):
    await upgrade(empty_url)
    assert await current(empty_url) == head()
    assert await check_drift(empty_url) == []
    await upgrade(empty_url)
    await downgrade(empty_url)
    assert await current(empty_url) is None
    await upgrade(empty_url)
    assert await check_drift(empty_url) == []


async def test_hosts_that_start_together_take_turns(empty_url):
    await asyncio.gather(*(upgrade(empty_url) for _ in range(3)))
    assert await current(empty_url) == head()
    assert await check_drift(empty_url) == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_rows_that_refer_to_nothing_stop_a_migration(empty_url):
    await execute(
        empty_url,
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))",
        "INSERT INTO child VALUES (1)",
    )
    with pytest.raises(BrokenReferences, match="1 rows refer to nothing"):
        await upgrade(empty_url)
    assert await current(empty_url) is None


def test_the_newest_revision_is_known_without_alembic():
    assert head() == schema_revision.HEAD
