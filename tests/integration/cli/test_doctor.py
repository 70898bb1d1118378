"""`mymozhem doctor`: what an event would suffer from, in sentences, on both databases."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result
from sqlalchemy import select, text

from mymozhem.clock import SystemClock
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database
from mymozhem.migrations import head
from mymozhem.monitoring.tables import AlertRow, RuleName, Severity
from mymozhem.registry.tables import AppRow, ManifestVersionRow, StopCause
from mymozhem.rooms.tables.locks import LockDriftRow
from mymozhem.rooms.tables.rooms import RoomRow

NOW = datetime.now(UTC)


@pytest.fixture
def seeded(run, seeds, database_url, tmp_path):
    seeds.plant(database_url, tmp_path / "data")


@pytest.fixture
def edit(database_url):
    """Change rows as a host does."""

    def edit(work):
        async def write():
            database = Database(database_url, clock=SystemClock())
            await database.open(exclusive=False)
            try:
                async with database.write() as unit:
                    await work(unit.session)
            finally:
                await database.close()

        asyncio.run(write())

    return edit


def findings(examined: Result, level: str) -> list[tuple[str, str, str | None]]:
    document = json.loads(examined.stdout)
    problems = [each for each in document["findings"] if each["level"] == "problem"]
    assert (document["ok"], examined.exit_code) == (not problems, 1 if problems else 0)
    return [
        (each["what"], each["says"], each["do"])
        for each in document["findings"]
        if each["level"] == level
    ]


def test_where_everything_is_in_order_it_says_so(run, seeded, tmp_path):
    examined = run("doctor")
    assert examined.exit_code == 0, examined.output
    assert "lottery" in examined.stdout
    assert "2 rooms, 1 of them running, answered by mymozhem-lottery" in examined.stdout
    assert examined.stdout.endswith("Everything is in order.\n")
    whats = [what for what, _, _ in findings(run("doctor", "--format", "json"), "ok")]
    assert whats == ["data folder", "address", "database", "rooms"]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_it_works_beside_a_running_host_and_writes_nothing(run, seeded, database_url):
    async def beside() -> Result:
        host = Database(database_url, clock=SystemClock())
        await host.open()
        try:
            return await asyncio.to_thread(run, "doctor")
        finally:
            await host.close()

    assert asyncio.run(beside()).exit_code == 0


def test_orphaned_rooms_are_a_problem_with_a_way_out(run, seeded, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "")
    ((what, says, do),) = findings(run("doctor", "--format", "json"), "problem")
    assert (what, says.partition(": ")[2]) == ("rooms", "2 rooms, 1 of them running, orphaned.")
    assert do == "Type `mymozhem apps enable lottery` and start the host again."
    assert "1 problem to fix before an event.\n" in run("doctor").stdout


def test_an_app_that_was_stopped_is_a_problem_where_rooms_use_it(run, seeded, edit):
    async def stop(session):
        row = await session.scalar(select(AppRow))
        row.stopped_at, row.stop_cause, row.stop_reason = NOW, StopCause.OPERATOR, "odd winners"

    edit(stop)
    ((_, says, do),) = findings(run("doctor", "--format", "json"), "problem")
    assert says == "lottery is stopped (odd winners): its fallbacks answer."
    assert "mymozhem apps start lottery" in do


@pytest.mark.parametrize(
    ("hours", "words"),
    [(None, "locked to it. "), (-1, "its deadline passed at "), (48, ", soon."), (400, ".000Z. ")],
)
def test_deprecated_versions_in_use_are_named_with_their_deadlines(run, seeded, edit, hours, words):
    async def deprecate(session):
        row = await session.scalar(select(ManifestVersionRow))
        row.deprecated_at, row.reason = NOW, "It is old."
        row.deadline = hours and NOW.replace(microsecond=0) + timedelta(hours=hours)

    edit(deprecate)
    found = findings(run("doctor", "--format", "json"), "warning")
    ((_, says, _),) = [each for each in found if each[0] == "versions"]
    assert words in says
    assert says.endswith("Reason: It is old.")


def test_servers_that_answer_for_other_locks_are_named(run, seeded, edit):
    async def drift(session):
        room = await session.scalar(select(RoomRow).where(RoomRow.status == "ACTIVE"))
        for name, times in (("a", 3), ("b", 4)):
            session.add(
                LockDriftRow(
                    id=new_id("drift"), room_id=room.id, app_id="lottery", version="1.0.0",
                    named=name * 64, expected="c" * 64, times=times, first_at=NOW, last_at=NOW,
                )
            )  # fmt: skip

    edit(drift)
    found = findings(run("doctor", "--format", "json"), "warning")
    ((_, says, _),) = [each for each in found if each[0] == "drift"]
    assert "answered 7 times for another lock than that of its room, in 1 room, last at" in says


def test_what_may_not_run_is_named_with_its_reasons(run, seeded, tmp_path, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "lottery,nowhere")
    broken = tmp_path / "data-environments" / "mymozhem-lottery-0.9.0-000000000000"
    broken.mkdir(parents=True)
    (broken / "environment.json").write_text("{}")
    says = [text for what, text, _ in findings(run("doctor", "--format", "json"), "warning")]
    (nowhere,) = [text for text in says if text.startswith("nowhere may not run: ")]
    assert "no installed package provides it" in nowhere
    (apart,) = [text for text in says if broken.name in text]
    assert "environment.json cannot be used" in apart


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_others_can_read_is_named(run, seeded, tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.chmod(0o711)  # isolated apps that run as another user pass through it
    assert findings(run("doctor", "--format", "json"), "warning") == []
    (data / "keys.json").chmod(0o640)
    monkeypatch.setenv("MYMOZHEM_ENVIRONMENT", "test")
    assert findings(run("doctor", "--format", "json"), "warning") == [
        (
            "data folder",
            f"Others can read {data}/keys.json.",
            f"Type `chmod go-rw {data}/keys.json`.",
        )
    ]
    data.chmod(0o750)
    ((_, says, _), _) = findings(run("doctor", "--format", "json"), "warning")
    assert says == f"Others can read {data}."


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_keys_that_the_host_would_refuse_are_a_problem(run, seeded, tmp_path):
    (tmp_path / "data" / "keys.json").chmod(0o640)
    ((what, says, _),) = findings(run("doctor", "--format", "json"), "problem")
    assert what == "keys"
    assert "keys.json" in says


def test_an_old_schema_is_a_problem_and_nothing_else_is_looked_at(run, seeded, edit):
    edit(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '0001'")))
    ((what, says, do),) = findings(run("doctor", "--format", "json"), "problem")
    assert (what, says) == (
        "database", f"It is at the schema 0001, this version of the host needs {head()}.",
    )  # fmt: skip
    assert "mymozhem db upgrade" in do


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/mymozhem.sqlite3", "postgresql://postgres@127.0.0.1:1/nowhere"]
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_database_that_is_not_there_is_a_problem(run, monkeypatch, url):
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", url)
    ((what, _, do),) = findings(run("doctor", "--format", "json"), "problem")
    assert what == "database"
    assert do


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_last_line_counts_the_warnings_above_it(run, seeded, tmp_path):
    (tmp_path / "data").chmod(0o750)
    examined = run("doctor")
    assert examined.exit_code == 0
    assert "warning  data folder" in examined.stdout
    assert re.search(r"^\d+ warnings? to look at\.$", examined.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["a%41b", "what?x=1", "c#d"])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_data_folder_may_have_any_name(run, tmp_path, monkeypatch, name):
    folder = tmp_path / name
    monkeypatch.delenv("MYMOZHEM_DATABASE_URL")
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(folder))
    assert run("db", "upgrade").exit_code == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(name[:1])] == [name]
    assert (folder / "mymozhem.sqlite3").stat().st_size > 0
    assert findings(run("doctor", "--format", "json"), "problem") == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_an_address_of_a_database_that_cannot_be_used_is_a_problem(run, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", "postgresql://127.0.0.1:abc/events")
    ((what, says, _),) = findings(run("doctor", "--format", "json"), "problem")
    assert (what, "port 'abc'" in says) == ("database", True)
    refused = run("db", "current")
    assert (refused.exit_code, "port 'abc'" in refused.output) == (1, True)
    assert "Traceback" not in refused.output


def test_jumps_of_a_clock_are_told_for_seven_days(run, seeded, edit):
    async def jumped(session):
        for days, summary in ((1, "It jumped."), (8, "Long ago.")):
            at = NOW - timedelta(days=days)
            session.add(
                AlertRow(
                    key=summary, rule=RuleName.CLOCK, severity=Severity.WARNING, summary=summary,
                    advice="", opened_at=at, changed_at=at, seen_at=at, recovered_at=at,
                )
            )  # fmt: skip

    edit(jumped)
    found = findings(run("doctor", "--format", "json"), "warning")
    assert [says for what, says, _ in found if what == "clock"] == ["It jumped."]
