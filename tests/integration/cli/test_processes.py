"""Each command as a process of its own, on a database that exists already.

A process imports only what its command imports, so it can fail where the process of the tests,
which has imported everything, does not. The commands are those of the tree: a new one is run with
the arguments that its parameters name, and needs a line here only if they are new, too.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from mymozhem.auth.tables import UserRow
from mymozhem.auth.users import User
from mymozhem.cli import cli
from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract import fair
from mymozhem.db.unit_of_work import Database
from tests.support.command_processes import CommandProcesses
from tests.support.databases import run
from tests.support.own_user import OWN_USER
from tests.support.relay_host import FAILED, App, RelayHost
from tests.support.remote_manifest import remote_manifest
from tests.support.timing import HANG_TIMEOUT
from tests.support.wheels import app_manifest, lay_out, write_app

ROOT = Path(__file__).resolve().parents[3]

#: commands that use no configured database -> the test that runs them as a process
ELSEWHERE = {
    ("demo",): "tests/integration/test_demo.py",
    ("app", "dev"): "tests/integration/devtools/test_dev.py",
    ("app", "serve"): "tests/unit/cli/test_app.py",
    ("app", "check"): "tests/integration/devtools/test_new_and_check.py",
}
#: commands that serve until a signal -> the text that says that they do
SERVING = {("serve",): "Uvicorn running", ("worker",): "The worker sends deliveries"}

PASSPHRASE = "a passphrase that nobody guesses\n"

#: commands that write, in an order that works on one database; seeding it has written all tables
WRITING = [
    ("apps", "enable"),
    ("apps", "disable"),
    ("apps", "secret"),
    ("apps", "start"),
    ("apps", "stop"),
    ("apps", "register"),
    ("deliveries", "retry"),
    ("users", "create"),
    ("users", "invite"),
    ("users", "new-password"),
    ("users", "deactivate"),
    ("users", "activate"),
]


def leaves(command: click.Command, *path: str) -> dict[tuple[str, ...], click.Command]:
    if not isinstance(command, click.Group):
        return {path: command}
    context = click.Context(command)
    return {
        found: leaf
        for name in command.list_commands(context)
        if (inner := command.get_command(context, name)) is not None
        for found, leaf in leaves(inner, *path, name).items()
    }


COMMANDS = leaves(cli)
ONES = [path for path in COMMANDS if path not in ELSEWHERE and path not in SERVING]


@dataclass(frozen=True)
class World:
    """A database with rooms, a remote app, one that is stopped, and a dead letter; and files."""

    url: str
    folder: Path
    room: str
    delivery: str
    account: User

    @property
    def variables(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MYMOZHEM_", "PIP_"))
        }
        return kept | {
            "MYMOZHEM_DATABASE_URL": self.url,
            "MYMOZHEM_DATA_DIR": str(self.folder / "data"),
            "MYMOZHEM_ENABLE_APPS": "lottery",
            "MYMOZHEM_ISOLATED_USER": OWN_USER,
            "MYMOZHEM_PORT": "0",
            "PIP_NO_INDEX": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def arguments(self, path: tuple[str, ...]) -> list[str]:
        """Return the words for a command: those of its own, or one for each required parameter."""
        own = {
            ("app", "new"): ["acme-auction"],
            ("apps", "enable"): ["lottery"],
            ("apps", "disable"): ["lottery"],
            ("apps", "install"): [*map(str, (self.folder / "wheel").iterdir()), "--isolated"],
            ("apps", "remove"): ["acme-counter==1.0.0", "--isolated"],
            ("apps", "start"): ["chime"],
            ("deliveries", "retry"): [self.delivery],
            ("draw", "value"): ['{"kind": "hex", "bytes": 1}', "0xFF"],
            ("draw", "verify"): ["record.json"],
            ("rooms", "replay"): ["room.jsonl"],
            ("rooms", "verify"): ["--all"],
            ("users", "create"): ["grace@example.com", "--password-stdin"],
            ("users", "new-password"): [self.account.email],
        }
        if path in own:
            return own[path]
        by_name = {
            "app_id": "bell",
            "delivery_id": self.delivery,
            "file": "gong.json",
            "new": "gong-1.1.json",
            "old": "gong.json",
            "reason": "a test",
            "room": self.room,
            "user_id": self.account.id,
        }
        words = []
        for each in COMMANDS[path].params:
            if each.required:
                assert each.name in by_name, f"say here what {' '.join(path)} gets as {each.name}"
                words += [*each.opts[:1]] if isinstance(each, click.Option) else []
                words.append(by_name[each.name])
        return words

    def command(self, path: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "mymozhem", *path, *self.arguments(path)]


def make_world(seeds, url: str, folder: Path) -> World:
    folder.mkdir(exist_ok=True)
    seeds.plant(url, folder / "data")
    for name in ("bell", "chime", "gong"):
        (folder / f"{name}.json").write_text(json.dumps(remote_manifest(id=name)))
    (folder / "gong-1.1.json").write_text(json.dumps(remote_manifest("1.1.0", id="gong")))
    write_app(folder / "wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYMOZHEM_DATABASE_URL", url)
        patch.setenv("MYMOZHEM_DATA_DIR", str(folder / "data"))
        for name in ("bell", "chime"):
            typed("apps", "register", str(folder / f"{name}.json"))
        typed("apps", "stop", "chime", "--reason", "a test")
        exported = typed("rooms", "export", seeds.rooms["COMPLETED"])
        (folder / "room.jsonl").write_text(exported)
    (folder / "record.json").write_text(json.dumps(record()))
    delivery, account = run(dead_letter(url)), run(some_account(url))
    return World(url, folder, seeds.rooms["ACTIVE"], delivery, account)


def typed(*words: str) -> str:
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    return done.stdout


async def some_account(url: str) -> User:
    """Return an account that may be deactivated."""
    database = Database(url, clock=SystemClock())
    await database.open(exclusive=False)
    try:
        async with database.read() as session:
            accounts = select(UserRow).where(UserRow.email.is_not(None), ~UserRow.is_admin)
            return User.of((await session.scalars(accounts.limit(1))).one())
    finally:
        await database.close()


async def dead_letter(url: str) -> str:
    database = Database(url, clock=SystemClock())
    await database.open(exclusive=False)
    try:
        post = RelayHost(database, SystemClock(), settings=Settings(delivery_attempts=1))
        (dead,) = await post.put(1)
        await post.run(App([FAILED]))
    finally:
        await database.close()
    return dead


def record() -> dict:
    """Return the record of a draw among one entry."""
    entries = fair.Entries.canonical({"part_1": 1})
    link = fair.link(bytes(32), 1)
    rule = fair.Rule(
        app=fair.AppVersion(id="raffle", version="1.0.0"),
        lock_digest="0" * 64,
        algorithm="vrs-1",
        prizes=(fair.PrizeCount(prize_id="prize_1", count=1),),
        reserves=0,
    )
    found = fair.select_all(
        rule,
        entries,
        link=link,
        public_inputs=(),
        entries_digest=entries.digest(),
        rule_digest=rule.digest(),
        algorithm="vrs-1",
    )
    at = dict.fromkeys(("anchored", "committed", "drawn"), "2030-01-01T12:00:00.000Z")
    return fair.sealed(
        {
            "format": fair.FORMAT,
            "room": "room_1",
            "draw": "draw_1",
            "chain": {"anchor": fair.anchor(bytes(32)).hex(), "index": 1, "link": link.hex()},
            "entries": entries.document(),
            "entriesDigest": entries.digest(),
            "rule": rule.document(),
            "ruleDigest": rule.digest(),
            "publicInputs": [],
            "picks": [pick.document() for pick in found.picks],
            "guarantee": "committed",
            "verifiable": True,
            "at": {**at, "revealed": "2030-01-01T12:00:00.000Z"},
        }
    )


@pytest.fixture(scope="module")
def prepared(seeds, sqlite_template, tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("world")
    with sqlite_template.copy(folder) as url:
        return make_world(seeds, url, folder)


@pytest.fixture(scope="module")
def processes() -> Iterator[CommandProcesses]:
    with CommandProcesses() as processes:
        yield processes


@pytest.fixture
def world(prepared, tmp_path) -> World:
    """A copy of the prepared world."""
    shutil.copytree(prepared.folder, tmp_path, dirs_exist_ok=True)
    url = f"sqlite:///{tmp_path / 'mymozhem.sqlite3'}"
    return World(url, tmp_path, prepared.room, prepared.delivery, prepared.account)


def run_process(world, processes, words):
    return processes.run(
        words, cwd=world.folder, env=world.variables, seconds=HANG_TIMEOUT, text=PASSPHRASE
    )


@pytest.mark.parametrize("path", ONES, ids=" ".join)
def test_a_command_works_as_a_process_of_its_own(processes, world, path):
    if path == ("apps", "remove"):
        (wheel,) = (world.folder / "wheel").iterdir()
        lay_out(world.folder / "data-environments", wheel, app_manifest())
    words = [*path, *world.arguments(path)]
    done = run_process(world, processes, words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_commands_that_write_work_on_postgresql_as_well(seeds, database_url, tmp_path, monkeypatch):
    world = make_world(seeds, database_url, tmp_path)
    monkeypatch.chdir(world.folder)
    for name, text in world.variables.items():
        monkeypatch.setenv(name, text)
    for path in WRITING:
        done = CliRunner().invoke(cli, [*path, *world.arguments(path)], input=PASSPHRASE)
        assert done.exit_code == 0, (path, done.output)
    serve_and_stop(world, ("serve",))
    serve_and_stop(world, ("worker",))


def test_a_host_serves_an_existing_database_of_sqlite_and_a_worker_says_that_it_need_not(
    processes, world
):
    serve_and_stop(world, ("serve",))
    refused = run_process(world, processes, ["worker"])
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "run only `mymozhem serve`" in refused.stderr


@pytest.mark.parametrize("path", ELSEWHERE, ids=" ".join)
def test_a_command_without_a_database_runs_as_a_process_in_another_test(path):
    assert path in COMMANDS
    assert f'"{path[-1]}"' in (ROOT / ELSEWHERE[path]).read_text()


def serve_and_stop(world: World, path: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        world.command(path),
        cwd=world.folder,
        env=world.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    printed = []
    try:
        for line in process.stdout:
            printed.append(line)
            if SERVING[path] in line:
                break
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=HANG_TIMEOUT)
    said = "".join(printed) + rest
    assert process.returncode == 0, said
    assert SERVING[path] in said
    assert "Traceback" not in said
