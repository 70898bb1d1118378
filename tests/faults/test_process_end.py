"""A real host gets a real SIGTERM, and ends whatever its apps do; the log names them."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.registry.discovery import GROUP
from tests.support.timing import HANG_TIMEOUT

APP = """
import asyncio, atexit, threading, time
from mymozhem.contract import Effects, Reply, hookimpl

FOREVER = 1_000_000
{head}

@hookimpl
def app_manifest():
    actions = {{name: {{"title": name}} for name in ("wait", "ignore", "pool", "block", "turn")}}
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
    return Effects.of(Reply(data={{"done": request.action}}))
"""
THREAD = "threading.Thread(target=time.sleep, args=(FOREVER,), name='own', daemon=False).start()"
AT_EXIT = "atexit.register(time.sleep, FOREVER)"
ADA, PASSWORD = "ada@example.com", "a passphrase that nobody guesses"


class Host:
    """A process of `mymozhem serve` with the app `stuck`, and a room of it."""

    def __init__(self, folder: Path, head: str) -> None:
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
        }
        words = ["users", "create", ADA, "--password-stdin"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MYMOZHEM_DATA_DIR", str(folder / "data"))
            assert CliRunner().invoke(cli, words, input=PASSWORD).exit_code == 0
        self.token = self.url = ""
        self.errors = (folder / "errors.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mymozhem", "serve"],
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

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

    def make(head: str = "") -> Host:
        hosts.append(Host(tmp_path, head))
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
    with pytest.raises(TimeoutError):
        host.call(f"{host.room}/actions/block", {}, seconds=1)
    assert host.process.stdout is not None
    while "blocks" not in host.process.stdout.readline():
        pass
    assert host.end() == 1
    assert host.blamed() == [("stuck", "code in the main thread")]
