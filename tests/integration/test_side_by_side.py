"""Two versions of an app at the same moment, over real processes: installed, upgraded, taken away.

A host runs in an environment of its own, into which packages are installed and upgraded by pip as
an operator does it. Commands that only read and write data run in the process of the test.
"""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.db.all_tables import import_tables
from mymozhem.db.engine import create_engine
from mymozhem.demo.host_process import free_port
from mymozhem.registry.isolated.build import PATH_FILE, host_path
from mymozhem.registry.isolated.environments import site_packages
from tests.support.databases import run
from tests.support.own_user import OWN_USER
from tests.support.timing import HANG_TIMEOUT

ROOT = Path(__file__).parents[2]
RELEASES = ROOT / "tests" / "releases"
FIRST = RELEASES / "mymozhem_lottery-1.0.0-py3-none-any.whl"
PYPROJECT = ROOT / "plugins" / "lottery" / "pyproject.toml"
NEWEST = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
PASSWORD = "a long enough password"
EMAIL = "organizer@example.com"

T = TypeVar("T")


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of the lottery as it is now."""
    folder = tmp_path_factory.mktemp("second")
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT / "plugins" / "lottery")
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass
class Operator:
    """A host's environment and data, and what its operator does with them."""

    home: Path
    database_url: str
    index: Path | None = None
    address: str = ""
    process: subprocess.Popen[bytes] | None = None
    token: str = field(default="", repr=False)

    @property
    def python(self) -> Path:
        return self.home / "venv" / "bin" / "python"

    @property
    def variables(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MYMOZHEM_", "PIP_"))}
        links = {"PIP_FIND_LINKS": str(self.index)} if self.index else {}
        return (
            kept
            | links
            | {
                "PIP_NO_INDEX": "1",
                "MYMOZHEM_DATA_DIR": str(self.home / "data"),
                "MYMOZHEM_DATABASE_URL": self.database_url,
                "MYMOZHEM_ENABLE_APPS": "lottery",
                "MYMOZHEM_ISOLATED_USER": OWN_USER,
                "MYMOZHEM_LOG_LEVEL": "warning",
                "MYMOZHEM_RATE_LIMITS_ENABLED": "false",
            }
        )

    def make(self) -> None:
        """Make the environment, which sees the platform and has apps of its own."""
        folder = self.home / "venv"
        command = [sys.executable, "-m", "venv", "--without-pip", "--symlinks", folder]
        subprocess.run(command, check=True)
        (site_packages(self.home) / PATH_FILE).write_text(host_path())

    def install(self, wheel: Path) -> None:
        """Install or upgrade a package, as `pip install --upgrade` does."""
        options = ("--no-deps", "--no-index", "--force-reinstall")
        pip("--python", self.python, "install", "--upgrade", *options, wheel)

    def run(self, *words: object, stdin: str = "") -> str:
        """Run a command that needs no code of an app in this process; return what it says."""
        unset = {name: None for name in os.environ if name.startswith("MYMOZHEM_")}
        done = CliRunner().invoke(cli, [*map(str, words)], input=stdin, env=unset | self.variables)
        assert done.exit_code == 0, f"{words}: {done.output}{done.exception!r}"
        return done.stdout

    def run_installed(self, *words: object, status: int = 0) -> None:
        """Run a command in the environment, where the app's packages are."""
        done = subprocess.run(
            [self.python, "-m", "mymozhem", *map(str, words)],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=HANG_TIMEOUT,
            check=False,
        )
        assert done.returncode == status, f"{words}: {done.stdout}{done.stderr}"

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the host, and end it in order afterwards."""
        port = free_port()
        with (self.home / "host.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "mymozhem", "serve", "--port", str(port)],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.address = f"http://127.0.0.1:{port}"
        try:
            until(self._is_ready)
            yield self.process
        finally:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(HANG_TIMEOUT)

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home / "host.log").read_text()
        try:
            return self.ask("GET", "/health/ready")[0] == 200
        except URLError:
            return False

    def sign_in(self) -> None:
        status, said = self.ask(
            "POST", "/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD}
        )
        assert status == 200, said
        self.token = said["data"]["accessToken"]

    def ask(
        self, method: str, path: str, body: object = None, *, signed: bool = True
    ) -> tuple[int, Any]:
        """Ask the host; return the status and what the body says."""
        headers = {"Content-Type": "application/json"}
        if self.token and signed:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.address + path, data, headers, method=method)
        try:
            with urlopen(request, timeout=HANG_TIMEOUT) as answer:
                raw = answer.read()
                return answer.status, json.loads(raw) if raw else None
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def must(self, method: str, path: str, body: object = None) -> Any:
        """Ask the host, and return the data of its success."""
        status, said = self.ask(method, f"/api/v1{path}", body)
        assert status < 300, f"{method} {path}: {status} {said}"
        return said["data"] if said else None

    def room(self, name: str, people: int = 6) -> str:
        """Make a running room with two prizes and some guests; return its id."""
        made = self.must(
            "POST",
            "/rooms",
            {
                "name": name,
                "appId": "lottery",
                "appSettings": {},
                "prizes": [{"name": "Kettle", "quantity": 1}, {"name": "Lamp", "quantity": 1}],
            },
        )
        self.must("PATCH", f"/rooms/{made['id']}", {"status": "ACTIVE"})
        for number in range(people):
            guest = {"code": made["code"], "name": f"{name} {number}"}
            assert self.ask("POST", "/api/v1/auth/guest", guest, signed=False)[0] == 201
        return str(made["id"])

    def lock(self, room: str) -> Any:
        return self.must("GET", f"/rooms/{room}/lock")

    def _is_accepted(self, room: str) -> bool:
        """Ask for the draw; false if the app's worker needs more time to start."""
        status, said = self.ask("POST", f"/api/v1/rooms/{room}/actions/draw", {})
        assert status < 300 or said["error"]["code"] == "APP_TIMEOUT", said
        return status < 300

    def drawn(self, room: str) -> Path:
        """Have the room's app draw everything; return the file of the public record."""
        until(lambda: self._is_accepted(room))
        (draw,) = until(lambda: self.revealed(room))
        record = self.must("GET", f"/rooms/{room}/draws/{draw['id']}/record")
        file = self.home / f"{room}.json"
        file.write_text(json.dumps(record))
        return file

    def revealed(self, room: str) -> list[Any]:
        draws = self.must("GET", f"/rooms/{room}/draws")
        return [each for each in draws if each["status"] == "REVEALED"]

    def workers(self) -> list[int]:
        """Return the processes of this host that run isolated code."""
        assert self.process is not None
        found = []
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = line.read_bytes().split(b"\0")
                parent = int((line.parent / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and b"mymozhem.isolation.worker_main" in words:
                found.append(int(line.parent.name))
        return found


def pip(*words: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run(
        [*command, *map(str, words)], check=True, timeout=HANG_TIMEOUT, capture_output=True
    )


def until(look: Callable[[], T]) -> T:
    """Look again and again until there is something; fail where there never is."""
    ends = time.monotonic() + HANG_TIMEOUT
    while time.monotonic() < ends:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def verified(operator: Operator, record: Path) -> Any:
    operator.run("draw", "verify", record)
    return json.loads(record.read_text())


@pytest.fixture
def operator(tmp_path: Path, database_url: str) -> Operator:
    """Return an operator with an empty database and the first lottery installed."""
    run(_emptied(database_url))
    operator = Operator(tmp_path / "home", database_url)
    (operator.home / "data").mkdir(parents=True)
    operator.make()
    operator.install(FIRST)
    operator.run("db", "upgrade")
    operator.run("users", "create", EMAIL, "--admin", "--password-stdin", stdin=PASSWORD)
    return operator


def test_rooms_go_on_with_their_versions_whatever_is_installed(
    operator: Operator, second: Path
) -> None:
    with operator.serving():
        operator.sign_in()
        running, going, draft = _evening_on_the_first(operator)
        operator.install(second)  # under the running event
        assert operator.must("GET", f"/rooms/{running}")["status"] == "ACTIVE"
    operator.index = RELEASES
    with operator.serving() as host:
        _served_apart(operator, running)
        record = _drawn_side_by_side(operator, running)
        _moved_and_back(operator, draft, going)
        workers = operator.workers()
        assert len(workers) == 1
        host.kill()
        host.wait(HANG_TIMEOUT)
        until(lambda: not any(map(_lives, workers)))
    operator.index = None
    operator.run_installed("apps", "remove", "mymozhem-lottery==1.0.0", "--isolated", status=1)
    operator.run_installed("apps", "remove", "mymozhem-lottery==1.0.0", "--isolated", "--anyway")
    operator.run_installed("doctor", status=1)
    with operator.serving():
        held = _orphaned(operator, going)
        assert len(operator.must("GET", f"/rooms/{running}/winners")) == 2
        assert verified(operator, record)["rule"]["app"]["version"] == "1.0.0"
        _back_again(operator, going, held)


def _evening_on_the_first(operator: Operator) -> tuple[str, str, str]:
    rooms = operator.room("Yesterday"), operator.room("Another")
    draft = operator.must("POST", "/rooms", _card("A draft"))["id"]
    assert operator.lock(rooms[0])["lock"]["manifestVersion"] == "1.0.0"
    return *rooms, draft


def _served_apart(operator: Operator, running: str) -> None:
    """The new code does not serve 1.0.0: the host gets the old one by itself."""
    until(lambda: not operator.lock(running)["orphaned"])
    lock = operator.lock(running)
    assert lock["lock"]["target"]["kind"] == "inprocess"
    served = lock["servedBy"]
    assert served["target"]["kind"] == "isolated"
    assert served["target"]["version"] == "1.0.0"


def _drawn_side_by_side(operator: Operator, running: str) -> Path:
    newer = operator.room("Today")
    assert operator.lock(newer)["lock"]["target"] == {
        "kind": "inprocess",
        "distribution": "mymozhem-lottery",
        "version": NEWEST,
    }
    with ThreadPoolExecutor(2) as at_once:
        records = list(at_once.map(operator.drawn, (running, newer)))
    for record, version in zip(records, ("1.0.0", NEWEST), strict=True):
        said = verified(operator, record)
        assert said["rule"]["app"] == {"id": "lottery", "version": version}
        assert len(said["picks"]) == 2
    operator.run_installed("rooms", "verify", "--all")
    return records[0]


def _moved_and_back(operator: Operator, draft: str, going: str) -> None:
    """A draft is carried to the newest version and back; a room that runs is not."""
    move = {"targetVersion": NEWEST}
    plan = operator.must("POST", f"/rooms/{draft}/upgrade-manifest", {**move, "dryRun": True})[
        "plan"
    ]
    assert plan["allowed"] is True, plan
    operator.must("POST", f"/rooms/{draft}/upgrade-manifest", move)
    assert operator.lock(draft)["lock"]["manifestVersion"] == NEWEST
    operator.must("POST", f"/rooms/{draft}/rollback-manifest", {})
    assert operator.lock(draft)["lock"]["manifestVersion"] == "1.0.0"
    status, said = operator.ask("POST", f"/api/v1/rooms/{going}/upgrade-manifest", move)
    assert (status, said["error"]["code"]) == (409, "ROOM_ACTIVE")


def _orphaned(operator: Operator, room: str) -> str:
    """Nothing serves the room: it is read as ever, and a draw stands still; return the draw."""
    until(lambda: operator.lock(room)["orphaned"])
    assert operator.must("GET", f"/rooms/{room}")["status"] == "ACTIVE"
    draw: str = operator.must("POST", f"/rooms/{room}/draws", {"run": True, "reveal": "now"})["id"]
    until(lambda: operator.must("GET", f"/rooms/{room}/draws/{draw}").get("heldCode"))
    until(lambda: operator.must("GET", "/notifications"))
    operator.run("rooms", "replay", "-", stdin=operator.run("rooms", "export", room))
    return draw


def _back_again(operator: Operator, room: str, draw: str) -> None:
    """The code is installed while the host runs, and the evening goes on."""
    operator.run_installed("apps", "install", FIRST, "--isolated")
    until(lambda: not operator.lock(room)["orphaned"])
    operator.must("POST", f"/rooms/{room}/draws/{draw}/retry", {})
    (done,) = until(lambda: operator.revealed(room))
    assert done["id"] == draw
    operator.run_installed("rooms", "verify", room)


async def _emptied(url: str) -> None:
    engine = create_engine(url, migrating=True)
    async with engine.begin() as connection:
        await connection.run_sync(import_tables().drop_all)
    await engine.dispose()


def _card(name: str) -> dict[str, object]:
    return {"name": name, "appId": "lottery", "appSettings": {"onlyPresent": True}}


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
