"""`mymozhem db upgrade`, on both databases, and never under a running host."""

import asyncio

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import MetaData

from mymozhem.cli import cli
from mymozhem.clock import SystemClock
from mymozhem.db.uow import Database
from mymozhem.migrations import check_drift, head
from tests.databases import PostgresTemplate, SqliteTemplate


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
    assert db("upgrade").stdout == f"The database went from nothing to {head()}.\n"
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
