"""`mymozhem apps list|enable|disable`, on a data folder of their own."""

import asyncio
import json
import sys

import pytest
from click.testing import CliRunner

from mymozhem.cli.apps import apps_group
from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from mymozhem.registry.discovery import GROUP
from tests.support.databases import mark_as_migrated, run


@pytest.fixture
def mymozhem(tmp_path, monkeypatch, sqlite_template):
    """Run a command on a data folder of its own, with one app installed that cannot be imported."""
    info = tmp_path / "acme_auction-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-auction\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nauction = not_to_be_imported\n")
    (tmp_path / "not_to_be_imported.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    with sqlite_template.copy(tmp_path / "data") as url:
        run(mark_as_migrated(url))
    return lambda *words: CliRunner().invoke(apps_group, list(words))


def listed(mymozhem):
    result = mymozhem("list", "--format", "json")
    return {each["id"]: each for each in json.loads(result.stdout)}


def test_an_installed_app_is_listed_and_not_enabled(mymozhem):
    assert listed(mymozhem)["auction"] == {
        "id": "auction",
        "packages": ["acme-auction 1.0.0"],
        "enabled": None,
        "problem": None,
        "remote": None,
        "stopped": None,
        "isolated": [],
    }
    assert "not_to_be_imported" not in sys.modules


def test_enabling_says_that_the_code_is_trusted(mymozhem):
    result = mymozhem("enable", "auction")
    assert result.exit_code == 0
    assert "auction is enabled." in result.stdout
    assert "trusted like the host itself" in result.stdout
    assert listed(mymozhem)["auction"]["enabled"] == "database"
    assert "already" in mymozhem("enable", "auction").stdout


def test_disabling_keeps_it_from_running(mymozhem):
    mymozhem("enable", "auction")
    result = mymozhem("disable", "auction", "--format", "json")
    assert json.loads(result.stdout) == {"id": "auction", "enabled": False, "changed": True}
    assert listed(mymozhem)["auction"]["enabled"] is None


def test_disabling_points_to_the_variable_that_still_enables_it(mymozhem, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "auction,absent")
    assert listed(mymozhem)["auction"]["enabled"] == "settings"
    assert "No installed package" in listed(mymozhem)["absent"]["problem"]
    assert "MYMOZHEM_ENABLE_APPS" in mymozhem("disable", "auction").stderr


@pytest.mark.parametrize("command", ["enable", "disable"])
def test_an_app_that_is_not_there_is_an_error_in_one_sentence(mymozhem, command):
    result = mymozhem(command, "chess")
    assert result.exit_code == 1
    assert "chess" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_running_host_must_be_stopped_first(mymozhem, tmp_path):
    async def enable_beside_a_host():
        url = f"sqlite:///{tmp_path / 'data' / 'mymozhem.sqlite3'}"
        host = Database(url, clock=SystemClock())
        await host.open()
        try:
            return await asyncio.to_thread(mymozhem, "enable", "auction")
        finally:
            await host.close()

    result = run(enable_beside_a_host())
    assert result.exit_code == 1
    assert "already running" in result.stderr


def test_an_enabled_app_that_may_not_run_is_listed_with_its_reason(mymozhem):
    mymozhem("enable", "auction")
    reason = "It may not run: loading it raised SystemExit: imported."
    assert listed(mymozhem)["auction"]["problem"] == reason
    shown = mymozhem("list").stdout
    assert "refused (enabled by database)" in shown
    assert reason in shown
