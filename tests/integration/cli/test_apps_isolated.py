"""`mymozhem apps install|remove --isolated` and what `apps list` shows of it."""

import asyncio
import json
import os

import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from mymozhem.registry.isolated import environments
from tests.support.databases import mark_as_migrated, run
from tests.support.host import make_host
from tests.support.own_user import OWN_USER
from tests.support.wheels import Counter, app_manifest, lay_out, write_app

PINNED = "acme-counter==1.0.0"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data-environments"


@pytest.fixture
def mymozhem(tmp_path, monkeypatch, database_url):
    """Run a command on a data folder and a database of its own, with no index at hand."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "MYMOZHEM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("MYMOZHEM_ISOLATED_USER", OWN_USER)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    run(mark_as_migrated(database_url))
    return lambda *words: CliRunner().invoke(cli, ["apps", *words])


@pytest.fixture
def put(folder, tmp_path):
    """Put an environment of the app `counter` into the folder of the host."""

    def put(version="1.0.0", **given):
        wheel = write_app(tmp_path / version, version, **given)
        return lay_out(folder, wheel, app_manifest(version, **given))

    return put


def listed(mymozhem):
    return {each["id"]: each for each in json.loads(mymozhem("list", "--format", "json").stdout)}


def make_rooms(database_url, tmp_path, *, end=False):
    """Make a room in DRAFT and one in ACTIVE, both locked to `counter` 1.0.0."""

    async def make():
        database = Database(database_url, clock=SystemClock())
        await database.open(exclusive=False)
        try:
            host = await make_host(database, SystemClock(), tmp_path, {"counter": Counter()})
            rooms = [await host.room("counter"), await host.start("counter")]
            for room in rooms if end else ():
                await host.change(room.id, status="CANCELLED")
        finally:
            await database.close()

    run(make())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could run the code as root")
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_root_installs_nothing_if_no_other_user_can_run_it(mymozhem, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_ISOLATED_USER", "nosuchuser")
    refused = mymozhem("install", str(write_app(tmp_path)), "--isolated")
    assert refused.exit_code == 1
    assert "there is no user nosuchuser" in refused.stderr
    assert "install it with --as-root" in refused.stderr
    assert not folder.exists()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_wheel_is_installed_once_and_shown(mymozhem, folder, tmp_path):
    wheel = str(write_app(tmp_path, "1.2.0", serves=">=1,<2"))
    done = mymozhem("install", wheel, "--isolated")
    assert done.exit_code == 0, done.output
    (made,) = environments.folders(folder)
    assert done.stdout == (
        "counter 1.2.0 is installed, in an isolated environment.\n"
        "  package  acme-counter 1.2.0\n"
        "  serves   rooms locked to counter >=1,<2\n"
        f"  folder   {made}\n"
        "A running host notices within two seconds.\n"
    )
    again = mymozhem("install", "acme-counter==1.2.0", "--isolated")
    assert "counter 1.2.0 was installed already" in again.stdout
    twice = json.loads(mymozhem("install", wheel, "--isolated", "--format", "json").stdout)
    assert (twice["appId"], twice["folder"], twice["changed"]) == ("counter", str(made), False)
    assert environments.read(made).as_root is False
    mymozhem("install", "acme-counter==1.2.0", "--isolated", "--as-root")
    assert environments.read(made).as_root is True
    shown = listed(mymozhem)["counter"]
    assert (shown["packages"], shown["enabled"], shown["problem"]) == ([], None, None)
    assert shown["isolated"] == [
        {"folder": str(made), "package": "acme-counter 1.2.0", "serves": ">=1,<2", "problem": None}
    ]
    text = mymozhem("list").stdout
    assert "isolated only" in text
    assert "  isolated: acme-counter 1.2.0, serves >=1,<2\n" in text


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("install", PINNED), "type `pip install`"),
        (("install", "acme-counter", "--isolated"), "Write one version as"),
        (("install", PINNED, "--isolated"), "No matching distribution found"),
        (("remove", PINNED), "pip uninstall"),
        (("remove", "acme-counter", "--isolated"), "Write one version as"),
        (("remove", PINNED, "--isolated"), "no environment of acme-counter==1.0.0"),
    ],
)
def test_what_cannot_be_done_is_said_in_sentences(mymozhem, words, said):
    refused = mymozhem(*words)
    assert refused.exit_code in {1, 2}
    assert said in refused.stderr
    assert "Traceback" not in refused.output


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_broken_environment_is_listed_with_its_reason(mymozhem, put):
    folder = put()
    (folder / environments.DOCUMENT).write_text("{")
    (found,) = listed(mymozhem)[folder.name]["isolated"]
    assert (found["folder"], found["serves"]) == (None, None)
    assert "environment.json cannot be used" in found["problem"]
    assert folder.name in mymozhem("list").stdout


def test_code_that_rooms_need_is_not_removed(mymozhem, put, folder, database_url, tmp_path):
    put()
    make_rooms(database_url, tmp_path)
    refused = mymozhem("remove", PINNED, "--isolated")
    assert refused.exit_code == 1
    assert "counter 1.0.0 (2 rooms)" in refused.stderr
    assert len(environments.folders(folder)) == 1
    assert mymozhem("remove", PINNED, "--isolated", "--anyway").exit_code == 0
    assert environments.folders(folder) == ()


def test_code_that_rooms_have_other_code_for_is_removed(
    mymozhem, put, folder, database_url, tmp_path
):
    put()
    other = put("1.1.0", serves=">=1,<2")
    make_rooms(database_url, tmp_path)
    done = mymozhem("remove", PINNED, "--isolated", "--format", "json")
    assert json.loads(done.stdout)["requirement"] == PINNED
    assert environments.folders(folder) == (other,)
    assert mymozhem("remove", "acme-counter==1.1.0", "--isolated").exit_code == 1


def test_code_of_rooms_that_are_over_is_removed(mymozhem, put, folder, database_url, tmp_path):
    put()
    make_rooms(database_url, tmp_path, end=True)
    done = mymozhem("remove", PINNED, "--isolated")
    assert done.stdout.startswith("acme-counter==1.0.0 is removed.")
    assert environments.folders(folder) == ()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_host_on_the_same_file_may_be_running(mymozhem, put, database_url, tmp_path):
    put()
    make_rooms(database_url, tmp_path)

    async def beside_a_host():
        host = Database(database_url, clock=SystemClock())
        await host.open()
        try:
            return await asyncio.to_thread(mymozhem, "remove", PINNED, "--isolated")
        finally:
            await host.close()

    assert "counter 1.0.0 (2 rooms)" in run(beside_a_host()).stderr
