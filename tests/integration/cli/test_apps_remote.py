"""`mymozhem apps register|secret|stop|start`, beside a running host or alone, on both databases."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from mymozhem.auth.keys import Keys
from mymozhem.cli.apps import apps_group
from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract.signing import parse_key
from mymozhem.db.unit_of_work import Database
from mymozhem.registry import remote_apps
from mymozhem.registry.app_keys import SecretCheck
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.tables import StopCause
from mymozhem.rooms.views.admin import AuditFilter, audit_trail
from mymozhem.rooms.views.paging import PageRequest
from tests.support.databases import mark_as_migrated, run
from tests.support.remote_manifest import BASE_URL, FIRST_PLATFORM, remote_manifest


@pytest.fixture
def mymozhem(database_url, tmp_path, monkeypatch):
    """Run a command on a database of its own, with a manifest beside it."""
    run(mark_as_migrated(database_url))
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(remote_manifest(id="raffle")))
    (tmp_path / "first.json").write_text(json.dumps(FIRST_PLATFORM))
    return lambda *words: CliRunner().invoke(apps_group, list(words))


def look(ask):
    """Ask the catalog of a host that starts now."""

    async def look_at():
        settings = Settings()
        database = Database(settings.effective_database_url, clock=SystemClock())
        await database.open(exclusive=False)
        try:
            return ask(await Catalog.load(database, settings, Keys.load(settings)))
        finally:
            await database.close()

    return run(look_at())


def register(mymozhem, *more):
    result = mymozhem("register", "manifest.json", "--format", "json", *more)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_registered_app_is_reached_with_the_secret_that_was_shown(mymozhem):
    made = register(mymozhem, "--owner", "ada@example.com")
    assert (made["appId"], made["version"]) == ("raffle", "1.0.0")
    endpoint = look(lambda catalog: catalog.endpoint("raffle", "1.0.0"))
    assert endpoint.shared == parse_key(made["appSecret"])
    again = mymozhem("register", "manifest.json")
    assert again.exit_code == 1
    assert "take another id" in again.stderr


def test_the_secret_is_shown_to_people_this_once(mymozhem):
    shown = mymozhem("register", "first.json", "--id", "app_raffle_v1").stdout
    assert "app_raffle_v1 1.0.0 is registered." in shown
    assert "whsec_" in shown
    assert "whpk_" in shown
    assert "shown this once" in shown
    shown = mymozhem("list").stdout
    assert BASE_URL in shown
    assert "remote" in shown
    assert "whsec_" not in shown


def test_an_id_is_needed_and_problems_are_told_by_field(mymozhem, tmp_path):
    refused = mymozhem("register", "first.json")
    assert (refused.exit_code, "--id" in refused.stderr) == (2, True)
    (tmp_path / "broken.json").write_text(json.dumps(remote_manifest(id="raffle", webhooks={})))
    refused = mymozhem("register", "broken.json")
    assert refused.exit_code == 1
    assert "/manifest/capabilities/0" in refused.stderr
    inside = remote_manifest(id="raffle", baseUrl="https://192.168.1.7")
    (tmp_path / "inside.json").write_text(json.dumps(inside))
    assert "may not be reached" in mymozhem("register", "inside.json").stderr
    for nonsense in ("{", "[]"):
        (tmp_path / "broken.json").write_text(nonsense)
        refused = mymozhem("register", "broken.json")
        assert (refused.exit_code, "is no manifest" in refused.stderr) == (1, True)


def test_a_renewed_secret_leaves_the_old_one_its_grace(mymozhem):
    old = register(mymozhem)["appSecret"]
    new = json.loads(mymozhem("secret", "raffle", "--format", "json").stdout)["appSecret"]
    keys = look(lambda catalog: catalog.endpoint("raffle", "1.0.0").keys)
    assert [parse_key(each) in keys for each in (old, new)] == [True, True]
    shown = mymozhem("secret", "raffle", "--grace-hours", "0", "--key-pair").stdout
    assert "whpk_" in shown
    keys = look(lambda catalog: catalog.endpoint("raffle", "1.0.0").keys)
    assert [parse_key(each) in keys for each in (old, new)] == [False, False]
    assert len(keys) == 2


def test_an_app_is_stopped_and_started(mymozhem):
    register(mymozhem)
    assert "raffle is stopped." in mymozhem("stop", "raffle", "--reason", "too slow").stdout
    assert "already" in mymozhem("stop", "raffle", "--reason", "again").stdout
    stopped = look(lambda catalog: catalog.get("raffle").facts.stopped)
    assert (stopped.cause, stopped.reason) == (StopCause.OPERATOR, "too slow")
    assert "stopped: too slow" in mymozhem("list").stdout
    (listed,) = json.loads(mymozhem("list", "--format", "json").stdout)[-1:]
    assert listed["stopped"] == "too slow"
    shown = mymozhem("start", "raffle", "--format", "json").stdout
    assert json.loads(shown) == {"id": "raffle", "stopped": False, "changed": True}
    assert not look(lambda catalog: catalog.is_stopped("raffle"))


@pytest.mark.parametrize(
    "words", [("secret", "chess"), ("stop", "chess", "--reason", "x"), ("start", "chess")]
)
def test_an_app_that_is_not_there_is_an_error_in_one_sentence(mymozhem, words):
    result = mymozhem(*words)
    assert result.exit_code == 1
    assert "There is no app 'chess' here." in result.stderr
    assert "Traceback" not in result.stderr


def test_a_remote_app_is_neither_enabled_nor_disabled(mymozhem):
    register(mymozhem)
    for command in ("enable", "disable"):
        assert mymozhem(command, "raffle").exit_code == 1


def test_a_host_that_runs_notices_and_operators_see_who_did_it(mymozhem, database_url, tmp_path):
    async def beside_a_host():
        settings = Settings()
        (tmp_path / "data").mkdir()
        host = Database(database_url, clock=SystemClock())
        await host.open()
        try:
            catalog = await Catalog.load(host, settings, Keys.load(settings))
            made = await asyncio.to_thread(register, mymozhem)
            assert await catalog.refresh_if_news()
            now = await host.now()
            async with host.read() as session:
                check = SecretCheck(Keys.load(settings))
                assert await remote_apps.matching_key(
                    session, check, "raffle", made["appSecret"], now=now
                )
            found = await audit_trail(host, AuditFilter(), PageRequest(1, 10))
            return catalog.is_served("raffle", "1.0.0"), found.items
        finally:
            await host.close()

    served, (entry,) = run(beside_a_host())
    assert served
    assert (entry.action, entry.actor_id) == ("app.register", None)
    assert entry.details == {"appId": "raffle", "version": "1.0.0"}
