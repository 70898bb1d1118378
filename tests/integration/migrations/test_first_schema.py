"""A room that was made before the platform itself was upgraded still verifies, and goes on."""

import asyncio
import json
import re
import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import bindparam, text

from mymozhem.app import create_app, host_of
from mymozhem.auth.keys import KEY_FILE
from mymozhem.auth.tables import UserRow
from mymozhem.cli import cli
from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract import fair
from mymozhem.db.all_tables import import_tables
from mymozhem.db.base import UtcDateTime
from mymozhem.db.engine import create_engine
from mymozhem.migrations import check_drift, current, downgrade, head, upgrade
from mymozhem.registry.isolated.install import install
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.locks.reconciler import LockReconciler
from tests.integration.migrations.first_schema import DUMP, dump, load
from tests.support.api_host import Caller

pytestmark = pytest.mark.both_engines

WHEEL = DUMP.parent / "mymozhem_lottery-1.0.0-py3-none-any.whl"


@pytest.fixture
def dumped():
    return dump()


@pytest.fixture
async def old_url(database_url, dumped):
    """A database of the first schema, with the rows of the first release."""
    engine = create_engine(database_url, migrating=True)
    async with engine.begin() as connection:
        await connection.run_sync(import_tables().drop_all)
    await engine.dispose()
    await upgrade(database_url, dumped["revision"])
    await load(database_url, dumped)
    return database_url


@pytest.fixture(scope="session")
def first_lottery(tmp_path_factory) -> Path:
    """A data folder in which the first lottery is installed apart."""
    folder = tmp_path_factory.mktemp("first-lottery")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        install(str(WHEEL), Settings(_env_file=None, data_dir=folder))
    return folder


@pytest.fixture
def settings(first_lottery, old_url, dumped, monkeypatch):
    """The settings of the upgraded host: the same keys, the newest lottery, the first one apart."""
    file = first_lottery / KEY_FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps(dumped["keys"]))
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", old_url)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(first_lottery))
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "lottery")
    return Settings(_env_file=None)


@asynccontextmanager
async def serving(settings, dumped):
    """Give the upgraded host, the organizer of the rooms, and the host's jobs."""
    app = create_app(settings, clock=SystemClock(), run_jobs=False)
    async with app.test_app():
        host = host_of(app)
        await LockReconciler(host.services).run_due()
        async with host.services.database.read() as session:
            (organizer,) = [
                await session.get_one(UserRow, row["id"])
                for row in dumped["tables"]["users"]
                if row["email"]
            ]
        token = host.tokens.issue(organizer).access_token
        yield host, Caller(app.test_client(), token, organizer.id)


async def test_the_migrations_lead_from_the_first_release_to_the_models(old_url, dumped):
    assert await current(old_url) == "0001"
    await upgrade(old_url)
    assert await current(old_url) == head()
    assert await check_drift(old_url) == []


WINDOW = """
INSERT INTO windows (id, room_id, name, status, prompt, accepts, data, roles, submissions,
    min_elapsed_ms, close_on, judge, fold, points, announce_verdicts, announce_standings, results,
    shared, answered, last_ordinal, depth, opens_at, checked_at, attempts, created_at)
VALUES ('window_1', :room, 'q1', 'open', '{}', '{}', '{}', '[]', 'once',
    0, 'deadline', 'rules', '[]', 0, TRUE, TRUE, 'onClose',
    '[]', 1, 1, 0, :at, :at, 0, :at)
"""
SUBMISSION = """
INSERT INTO submissions (id, room_id, window_id, participant_id, ordinal, payload, received_at,
    elapsed_ms, counts, single, verdict, points, judged, credited, created_at)
SELECT 'sub_1', :room, 'window_1', min(id), 1, '7', :at, 5, TRUE, TRUE, 'pending', 0, FALSE, 0, :at
FROM participants WHERE room_id = :room
"""
TIMER = """
INSERT INTO timers (id, room_id, space, name, generation, due_at, next_at, payload, depth, attempts)
VALUES ('timer_1', :room, 'app', 'bell', 1, :at, :at, '{}', 0, 0)
"""


async def test_windows_and_timers_keep_what_their_apps_call_them(old_url, dumped):
    await upgrade(old_url, "0004")
    moment = bindparam("at", datetime(2026, 11, 30, tzinfo=UTC), UtcDateTime())
    engine = create_engine(old_url)
    async with engine.begin() as connection:
        for row in (WINDOW, SUBMISSION, TIMER):
            statement = text(row).bindparams(moment, room=dumped["rooms"]["running"])
            await connection.execute(statement)

    async def stored(column):
        async with engine.connect() as connection:
            windows = await connection.execute(
                text(
                    f"SELECT windows.{column}, payload, received_at IS NOT NULL FROM windows "
                    "JOIN submissions ON submissions.window_id = windows.id"
                )
            )
            timers = await connection.execute(text(f"SELECT {column}, payload FROM timers"))
            return [tuple(map(str, row)) for row in (*windows, *timers)]

    before = await stored("name")
    assert [row[0] for row in before] == ["q1", "bell"]
    await upgrade(old_url)
    assert await stored("key") == before
    assert await check_drift(old_url) == []
    await downgrade(old_url, "0004")
    assert await stored("name") == before
    await engine.dispose()


async def test_open_rooms_get_a_code_of_six_digits_and_others_none(old_url, dumped):
    await upgrade(old_url)
    engine = create_engine(old_url)
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT id, short_code FROM rooms"))
        codes = {row.id: row.short_code for row in found}
    await engine.dispose()
    assert re.fullmatch("[0-9]{6}", codes[dumped["rooms"]["running"]])
    assert codes[dumped["rooms"]["over"]] is None


async def test_rooms_of_the_first_release_are_read_proved_and_go_on(settings, dumped):
    await upgrade(settings.effective_database_url)
    over, running = dumped["rooms"]["over"], dumped["rooms"]["running"]
    async with serving(settings, dumped) as (host, organizer):
        for room in (over, running):
            seen = (await organizer.get(f"/rooms/{room}")).data
            assert (seen["appId"], seen["appManifestVersion"]) == ("lottery", "1.0.0")
            lock = (await organizer.get(f"/rooms/{room}/lock")).data
            assert lock["lock"]["target"]["kind"] == "inprocess"
            assert lock["servedBy"]["target"]["kind"] == "isolated"
            assert not lock["orphaned"]
        assert [record["target"]["kind"] for record in lock["servedBy"]["records"]] == ["isolated"]
        draws = (await organizer.get(f"/rooms/{running}/draws")).data
        committed = next(draw for draw in draws if draw["status"] == "COMMITTED")
        ran = await organizer.post(f"/rooms/{running}/draws/{committed['id']}/run")
        assert ran.status in {200, 202}, ran.raw
        await Jobs(host.services).run_due()
        acted = await organizer.post(f"/rooms/{running}/actions/draw", {})
        assert acted.status == 200, acted.raw
        await Jobs(host.services).run_due()
        winners = (await organizer.get(f"/rooms/{running}/winners")).data
        assert len({winner["prizeId"] for winner in winners}) == 3
        for room, count in ((over, 1), (running, 3)):
            draws = (await organizer.get(f"/rooms/{room}/draws")).data
            assert [draw["status"] for draw in draws] == ["REVEALED"] * count
            for draw in draws:
                record = await organizer.get(f"/rooms/{room}/draws/{draw['id']}/record")
                assert fair.verify(record.data).ok, record.raw
    for room in (over, running):
        verified = await asyncio.to_thread(CliRunner().invoke, cli, ["rooms", "verify", room])
        assert verified.exit_code == 0, verified.output
    assert "in an environment of its own" in verified.stdout


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_the_host_installs_by_itself_what_rooms_are_locked_to(
    settings, dumped, tmp_path, monkeypatch
):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(WHEEL.parent))
    (tmp_path / "empty").mkdir(mode=0o700)
    (tmp_path / "empty" / KEY_FILE).touch(mode=0o600)
    (tmp_path / "empty" / KEY_FILE).write_text(json.dumps(dumped["keys"]))
    alone = settings.model_copy(update={"data_dir": tmp_path / "empty"})
    await upgrade(alone.effective_database_url)
    running = dumped["rooms"]["running"]
    async with serving(alone, dumped) as (host, organizer):
        lock = (await organizer.get(f"/rooms/{running}/lock")).data
        assert not lock["orphaned"]
        await LockReconciler(host.services).run_due()  # what was installed is noted
        lock = (await organizer.get(f"/rooms/{running}/lock")).data
        kinds = [each["target"] and each["target"]["kind"] for each in lock["servedBy"]["records"]]
        assert kinds == [None, "isolated"]
        notes = (await organizer.get("/notifications")).data
        titles = [note["title"] for note in notes if note["title"].startswith("The app")]
        assert titles == ["The app of this room is back", "The app of this room is gone"]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_wheel_that_was_changed_since_is_not_the_locked_code(
    settings, dumped, first_lottery, tmp_path, monkeypatch
):
    changed = tmp_path / "changed"
    shutil.copytree(first_lottery, changed, symlinks=True)
    environments = Path(f"{changed}-environments")
    shutil.copytree(f"{first_lottery}-environments", environments, symlinks=True)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(changed))
    await upgrade(settings.effective_database_url)
    (wheel,) = environments.glob("*/wheel/*.whl")  # noqa: ASYNC240  nobody else is running
    wheel.write_bytes(wheel.read_bytes() + b" ")
    words = ["rooms", "verify", dumped["rooms"]["running"]]
    verified = await asyncio.to_thread(CliRunner().invoke, cli, words)
    assert verified.exit_code == 1, verified.output
    assert "the wheel that it keeps is not the one that was installed" in verified.stdout
    assert "NOT  code" in verified.stdout
