"""`mymozhem deliveries` beside a host, and `mymozhem worker`, on both databases."""

import asyncio
import json
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from mymozhem.audit.tables import AuditRow
from mymozhem.cli import cli
from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from tests.support.databases import mark_as_migrated, run
from tests.support.relay_host import FAILED, App, RelayHost
from tests.support.timing import HANG_TIMEOUT

SECRET = "the card under the hat"


@pytest.fixture
def mymozhem(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))
    run(mark_as_migrated(database_url))
    return lambda *words: CliRunner().invoke(cli, words)


def posted(url, work):
    """Do something with deliveries of which each has one attempt."""

    async def go():
        database = Database(url, clock=SystemClock())
        await database.open(exclusive=False)
        try:
            return await work(
                RelayHost(database, SystemClock(), settings=Settings(delivery_attempts=1))
            )
        finally:
            await database.close()

    return asyncio.run(go())


async def a_dead_and_a_waiting_one(post):
    (dead,) = await post.put(SECRET)
    await post.run(App([FAILED]))
    (waiting,) = await post.put(SECRET, app="b", room=None)
    return dead, waiting


@pytest.fixture
def ids(mymozhem, database_url):
    return posted(database_url, a_dead_and_a_waiting_one)


def audited(url):
    async def read(post):
        async with post.database.read() as session:
            rows = await session.scalars(select(AuditRow).order_by(AuditRow.id))
            return [(row.action, row.actor_id, row.details) for row in rows]

    return posted(url, read)


def test_deliveries_are_listed_by_state_app_and_room(mymozhem, ids):
    dead, waiting = ids

    def listed(*words):
        return [each["id"] for each in json.loads(list_(*words, "--format", "json").stdout)]

    def list_(*words):
        return mymozhem("deliveries", "list", *words)

    assert listed() == [waiting, dead]
    assert listed("--state", "dead") == listed("--room", "room_1") == listed("--app", "a") == [dead]
    assert listed("--limit", "1") == [waiting]
    assert list_().stdout == (
        f"pending   {waiting}  b  on_event  -  0  -\n"
        f"dead      {dead}  a  on_event  room_1  1  APP_BAD_STATUS\n"
    )
    assert list_("--app", "c").stderr == "There is no such delivery.\n"


def test_what_an_app_is_told_is_shown_when_asked_for_alone_and_the_audit_trail_says_so(
    mymozhem, ids, database_url
):
    dead, _ = ids
    shown = mymozhem("deliveries", "show", dead)
    assert "attempt        1  " in shown.stdout
    assert "APP_BAD_STATUS  The app answered 500." in shown.stdout
    assert SECRET not in shown.stdout
    assert audited(database_url) == []
    assert SECRET in mymozhem("deliveries", "show", dead, "--body").stdout
    found = json.loads(mymozhem("deliveries", "show", dead, "--body", "--format", "json").stdout)
    assert found["body"]["request"] == {"n": SECRET}
    assert found["body"]["context"]["big"] == 10**30
    assert audited(database_url) == [("delivery.read", None, {"id": dead})] * 2
    missing = mymozhem("deliveries", "show", "call_none", "--body")
    assert (missing.exit_code, missing.stderr) == (1, "Error: There is no such delivery.\n")
    assert len(audited(database_url)) == 2


def test_a_dead_letter_is_retried_and_deleted(mymozhem, ids, database_url):
    dead, waiting = ids
    assert mymozhem("deliveries", "retry", dead).stdout == f"{dead} is queued again.\n"
    again = mymozhem("deliveries", "retry", dead)
    assert (again.exit_code, again.stderr.startswith("Error: This delivery is not a dead")) == (
        1,
        True,
    )
    told = posted(database_url, lambda post: post.run(App([FAILED, FAILED])))
    assert {each.id for each in told.seen} == {dead, waiting}
    assert mymozhem("deliveries", "delete", dead).stdout == f"{dead} is deleted.\n"
    assert mymozhem("deliveries", "show", dead).exit_code == 1
    retried = mymozhem("deliveries", "retry", "--since", "2020-01-01", "--app", "b")
    assert retried.stdout == "1 dead letters are queued again.\n"
    actions = [action for action, _, _ in audited(database_url)]
    assert actions == ["delivery.retry", "delivery.delete", "delivery.retry"]


@pytest.mark.parametrize(
    "words",
    [[], ["call_1", "--since", "2030-01-01"], ["--since", "soon"], ["call_1", "--app", "a"]],
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_is_to_be_retried_is_said_in_one_way(mymozhem, words):
    assert mymozhem("deliveries", "retry", *words).exit_code == 2


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_on_sqlite_a_worker_says_that_the_host_does_it(mymozhem):
    refused = mymozhem("worker")
    assert refused.exit_code == 1
    assert "On SQLite the host sends deliveries" in refused.stderr


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_worker_needs_the_newest_schema(database_url, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    assert "mymozhem db upgrade" in CliRunner().invoke(cli, ["worker"]).stderr


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_worker_carries_deliveries_until_it_is_told_to_stop(mymozhem, database_url):
    """What is told here no hook can read, so that the worker's word for it shows that it tried."""
    posted(database_url, lambda post: post.put(1))
    command = [sys.executable, "-m", "mymozhem", "worker"]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout.readline().startswith("The worker sends deliveries")

        async def tried(post):
            async with asyncio.timeout(HANG_TIMEOUT):
                while not (await post.row()).last_code:  # noqa: ASYNC110 - another process's
                    await asyncio.sleep(0.02)
            return (await post.row()).last_code

        assert posted(database_url, tried) == "UNREADABLE"
    finally:
        worker.send_signal(signal.SIGTERM)
        said, _ = worker.communicate(timeout=HANG_TIMEOUT)
    assert (worker.returncode, said) == (0, "The worker has stopped.\n")
