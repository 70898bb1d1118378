"""A real host gets a real SIGTERM, and ends whatever its apps do; the log names them."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.cli.loop_watchdog import STATUS
from mymozhem.registry.discovery import GROUP
from tests.support.timing import HANG_TIMEOUT

APP = """
import asyncio, atexit, ctypes, threading, time
from mymozhem.contract import Effects, Reply, hookimpl

FOREVER = 1_000_000
{head}

@hookimpl
def app_manifest():
    names = ("wait", "ignore", "pool", "block", "lock", "turn")
    actions = {{name: {{"title": name}} for name in names}}
    return {{"meta": {{"name": "Stuck", "version": "1.0.0", "description": "Does not end."}},
            "permissions": [], "capabilities": ["actions"], "actions": actions}}

async def ignore():
    while True:
        try:
            await asyncio.sleep(FOREVER)
        except asyncio.CancelledError:
            pass

@hookimpl
async def handle_action(request):
    if request.action == "wait":
        await asyncio.to_thread(time.sleep, FOREVER)
    if request.action == "ignore":
        app_manifest.task = asyncio.create_task(ignore())
    if request.action == "pool":
        from concurrent.futures import ThreadPoolExecutor
        app_manifest.pool = ThreadPoolExecutor(1)
        app_manifest.pool.submit(time.sleep, FOREVER)
    if request.action == "block":
        print("blocks", flush=True)
        time.sleep(FOREVER)
    if request.action == "lock":
        libc, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
        libc.pthread_mutex_lock(mutex)
        libc.pthread_mutex_lock(mutex)  # unlike CDLL, PyDLL keeps the interpreter lock
    return Effects.of(Reply(data={{"done": request.action}}))
"""
THREAD = "threading.Thread(target=time.sleep, args=(FOREVER,), name='own', daemon=False).start()"
AT_EXIT = "atexit.register(time.sleep, FOREVER)"
ADA, PASSWORD = "ada@example.com", "a passphrase that nobody guesses"


class Host:
    """A process of `mymozhem serve` with the app `stuck`, and a room of it."""

    def __init__(self, folder: Path, head: str, **variables: str) -> None:
        info = folder / "acme_stuck-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-stuck\nVersion: 1.0.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\nstuck = acme_stuck\n")
        (folder / "acme_stuck.py").write_text(APP.format(head=head))
        kept = {key: text for key, text in os.environ.items() if not key.startswith("MYMOZHEM_")}
        self.variables = kept | {
            "MYMOZHEM_DATA_DIR": str(folder / "data"),
            "MYMOZHEM_ENABLE_APPS": "stuck",
            "MYMOZHEM_LOG_FORMAT": "json",
            "MYMOZHEM_PORT": "0",
            "PYTHONPATH": str(folder),
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        words = ["users", "create", ADA, "--password-stdin"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MYMOZHEM_DATA_DIR", str(folder / "data"))
            assert CliRunner().invoke(cli, words, input=PASSWORD).exit_code == 0
        self.token = self.url = self.room = ""
        self.folder = folder
        self.launch()

    def launch(self) -> None:
        """Start the process, with a log of its own."""
        self.errors = (self.folder / "errors.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mymozhem", "serve"],
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def relaunch(self) -> None:
        """Start the process again, as a supervisor does, and wait until it serves."""
        self.process.communicate(timeout=HANG_TIMEOUT)
        self.errors.close()
        self.launch()
        self.url = self.wait_for("Uvicorn running")["event"].split(" ")[3]

    def start(self) -> None:
        """Wait until it serves; sign in, and start a room."""
        self.url = self.wait_for("Uvicorn running")["event"].split(" ")[3]
        body = {"email": ADA, "password": PASSWORD}
        self.token = self.call("/auth/login", body)["accessToken"]
        room = self.call("/rooms", {"appId": "stuck", "name": "Party"})
        self.room = f"/rooms/{room['id']}"
        self.call(self.room, {"status": "ACTIVE"}, method="PATCH")

    def wait_for(self, event: str) -> Any:
        while True:
            found = [line for line in self.lines() if event in str(line.get("event"))]
            if found:
                return found[0]
            with pytest.raises(subprocess.TimeoutExpired):
                self.process.wait(0.1)

    def lines(self) -> list[dict[str, Any]]:
        self.errors.seek(0)
        whole = [line for line in self.errors if line.endswith("\n")]
        return [json.loads(line) for line in whole if line.startswith("{")]

    def call(
        self, path: str, body: object, *, method: str = "POST", seconds: float = HANG_TIMEOUT
    ) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return json.loads(answer.read())["data"]

    def act(self, action: str) -> Any:
        return self.call(f"{self.room}/actions/{action}", {})

    def block(self, action: str) -> None:
        """Let the app do what never ends, and do not wait for it."""
        with pytest.raises((TimeoutError, ConnectionError)):  # the host may have ended by then
            self.call(f"{self.room}/actions/{action}", {}, seconds=1)

    def end(self) -> int:
        """Send the signal; return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=HANG_TIMEOUT)
        return self.process.returncode

    def blamed(self) -> list[tuple[str | None, str | None]]:
        """Return the apps that were not waited for, and what they did."""
        self.errors.seek(0)
        return [
            (line.get("app"), line.get("waits_for"))
            for line in self.lines()
            if "without waiting" in line["event"]
        ]


@pytest.fixture
def host_with(tmp_path):
    hosts: list[Host] = []

    def make(head: str = "", **variables: str) -> Host:
        hosts.append(Host(tmp_path, head, **variables))
        return hosts[0]

    yield make
    for host in hosts:
        host.process.kill()
        host.process.communicate()
        host.errors.close()


def test_a_host_whose_app_only_waits_for_a_thread_that_hangs_ends_by_itself(
    host_with: Callable[..., Host],
):
    host = host_with()
    host.start()
    with pytest.raises(urllib.error.HTTPError) as failed:
        host.act("wait")
    failed.value.close()
    assert host.end() == 0
    assert host.blamed() == [("stuck", None)]


def test_threads_tasks_and_exit_functions_of_an_app_delay_the_end_only_shortly(
    host_with: Callable[..., Host],
):
    host = host_with(f"{THREAD}\n{AT_EXIT}")
    host.start()
    host.act("ignore")
    host.act("pool")
    assert host.end() == 0
    said = host.blamed()
    assert {app for app, _ in said} == {"stuck"}
    assert {"thread own", "thread ThreadPoolExecutor-0_0"} <= {what for _, what in said}
    assert "task that ignores its cancellation" in {what for _, what in said}


def test_an_exit_function_that_blocks_is_named(host_with: Callable[..., Host]):
    host = host_with(AT_EXIT)
    host.wait_for("Uvicorn running")
    assert host.end() == 0
    assert host.blamed() == [("stuck", "code in the main thread")]


def test_a_host_whose_event_loop_is_blocked_by_an_app_ends_too(host_with: Callable[..., Host]):
    host = host_with()
    host.start()
    host.block("block")
    assert host.process.stdout is not None
    while "blocks" not in host.process.stdout.readline():
        pass
    assert host.end() == 1
    assert host.blamed() == [("stuck", "code in the main thread")]


def test_an_app_that_blocks_the_event_loop_is_named_while_it_does(
    host_with: Callable[..., Host],
):
    host = host_with()
    host.start()
    host.block("block")
    said = host.wait_for("blocks the event loop")
    assert (said["app"], said["level"]) == ("stuck", "error")
    assert "time.sleep(FOREVER)" in said["stack"]
    assert host.process.poll() is None  # it goes on, as long as nothing else is configured


def test_a_host_ends_if_that_is_configured_and_starts_with_the_breakers_of_the_app_open(
    host_with: Callable[..., Host],
):
    host = host_with(MYMOZHEM_END_IF_BLOCKED_SECONDS="20")
    host.start()
    host.block("block")
    host.process.wait(HANG_TIMEOUT)
    assert host.process.returncode == STATUS
    assert host.wait_for("the process ends")["app"] == "stuck"

    host.relaunch()
    assert host.wait_for("the last process ended")["app"] == "stuck"
    with pytest.raises(urllib.error.HTTPError) as refused:
        host.act("turn")
    with refused.value as answer:
        assert json.loads(answer.read())["error"]["code"] == "APP_PAUSED"
    assert host.end() == 0

    host.relaunch()  # the file was for one start
    assert not [line for line in host.lines() if "the last process ended" in line["event"]]


def test_code_that_holds_the_interpreter_lock_cannot_keep_such_a_host_from_ending(
    host_with: Callable[..., Host],
):
    host = host_with(MYMOZHEM_END_IF_BLOCKED_SECONDS="20")
    host.start()
    host.block("lock")
    host.process.send_signal(signal.SIGTERM)  # Python cannot handle it
    host.process.wait(HANG_TIMEOUT)
    assert host.process.returncode == 1
    host.errors.seek(0)
    assert "acme_stuck.py" in host.errors.read()
