"""`mymozhem db upgrade`, on both databases, and never under a running host."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Executable, MetaData, bindparam, text

from mymozhem.cli import cli
from mymozhem.clock import SystemClock
from mymozhem.db.base import UtcDateTime
from mymozhem.db.engine import create_engine
from mymozhem.db.unit_of_work import Database
from mymozhem.migrations import check_drift, head, upgrade
from tests.integration.migrations.first_schema import dump, load
from tests.support.databases import PostgresTemplate, SqliteTemplate

pytestmark = pytest.mark.both_engines


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> SqliteTemplate:
    """Empty databases: the command makes the tables."""
    return SqliteTemplate(tmp_path_factory.mktemp("template"), MetaData())


@pytest.fixture(scope="session")
def postgres_template(postgres):
    template = PostgresTemplate(postgres, MetaData())
    yield template
    template.close()


@pytest.fixture
def db(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cli, ["db", *words])

    return invoke


def test_an_empty_database_is_brought_to_the_newest_schema_once(db, database_url):
    assert db("current").stdout == f"nothing (newest: {head()})\n"
    assert db("upgrade").stdout == f"The database was upgraded from nothing to {head()}.\n"
    assert asyncio.run(check_drift(database_url)) == []
    assert db("upgrade").stdout == f"The database is at the newest schema already ({head()}).\n"
    assert db("current").stdout == f"{head()}\n"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_file_that_a_host_runs_on_is_left_alone(db, database_url):
    async def beside() -> Result:
        host = Database(database_url, clock=SystemClock())
        await host.open()
        try:
            return await asyncio.to_thread(db, "upgrade")
        finally:
            await host.close()

    refused = asyncio.run(beside())
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: A host (process ")
    assert "is already running" in refused.stderr
    assert db("current").stdout == f"nothing (newest: {head()})\n"


@pytest.fixture
def first(db, database_url, tmp_path):
    """Bring a database to the first schema, as the first release left it, and change some rows."""

    def make(*statements: Executable) -> dict[str, str]:
        async def making() -> dict[str, str]:
            dumped = dump()
            await upgrade(database_url, dumped["revision"])
            await load(database_url, dumped)
            engine = create_engine(database_url)
            try:
                async with engine.begin() as connection:
                    for statement in statements:
                        await connection.execute(statement)
            finally:
                await engine.dispose()
            return dumped["rooms"]

        return asyncio.run(making())

    return make


OVER = text("UPDATE rooms SET status = 'COMPLETED'")
DRAFT = text("UPDATE rooms SET status = 'DRAFT' WHERE status = 'ACTIVE'")


def test_nothing_is_changed_while_a_room_runs_unless_it_is_wanted_anyway(db, first):
    rooms = first()
    refused = db("upgrade")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: Nothing was changed: a room runs, or will within 24")
    assert f"  {rooms['running']}  New Year raffle: is running\n" in refused.stderr
    assert rooms["over"] not in refused.stderr
    assert db("current").stdout == f"0001 (newest: {head()})\n"
    assert db("upgrade", "--anyway").stdout == f"The database was upgraded from 0001 to {head()}.\n"
    assert db("upgrade").exit_code == 0


def test_where_every_room_is_over_the_database_is_changed_at_once(db, first):
    first(OVER)
    assert db("upgrade").exit_code == 0


TIMER = text("""
INSERT INTO timers (id, room_id, space, name, generation, due_at, next_at, payload, depth, attempts)
SELECT 'timer_1', id, 'app', 'soon', 1,
       :at, :at, '{}', 0, 0
FROM rooms WHERE name = 'New Year raffle'
""").bindparams(bindparam("at", type_=UtcDateTime()))


@pytest.mark.parametrize(("hours", "is_refused"), [(1, True), (23, True), (25, False)])
def test_nothing_is_changed_the_day_before_something_is_due(db, first, hours, is_refused):
    at = datetime.now(UTC) + timedelta(hours=hours)
    first(DRAFT, TIMER.bindparams(at=at))
    refused = db("upgrade")
    assert (refused.exit_code == 1) is is_refused
    assert ("is not running yet; something is due at " in refused.output) is is_refused


def test_draws_that_are_due_count_too(db, first):
    first(DRAFT, text("UPDATE draws SET due_at = created_at WHERE status = 'COMMITTED'"))
    assert "something is due at 2026-" in db("upgrade").stderr
