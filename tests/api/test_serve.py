"""The command that serves: a real process on a real socket."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import orjson
import pytest

from mymozhem.app import create_app
from mymozhem.config import Settings
from tests.support.timing import HANG_TIMEOUT

HARD_FILES = 4_096


def command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "mymozhem", "serve", "--data-dir", str(folder), *more]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MYMOZHEM_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_a_fresh_folder_is_served_and_a_signal_ends_it(tmp_path: Path):
    port = free_port()
    serving = subprocess.Popen(
        command(tmp_path, "--port", str(port), "--log-format", "json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert serving.stdout is not None
    assert serving.stderr is not None
    try:
        assert f"http://127.0.0.1:{port}" in serving.stdout.readline().decode()
        for line in serving.stderr:
            if "Uvicorn running" in orjson.loads(line)["event"]:
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            assert orjson.loads(answer.read())["data"] == {"status": "ready"}
            request_id = answer.headers["X-Request-ID"]
        modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.rglob("*")}
        assert {"keys.json", "mymozhem.sqlite3", "mymozhem.sqlite3-wal"} <= modes.keys()
        assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
        logged = orjson.loads(serving.stderr.readline())
        assert logged["request_id"] == request_id
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/../%2e%2e/etc/passwd")
        assert orjson.loads(refused.value.read())["error"]["code"] == "NOT_FOUND"
        refused.value.close()
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.communicate(timeout=HANG_TIMEOUT)
    assert serving.returncode == 0


def test_connections_that_send_nothing_do_not_stop_a_host_with_few_files(tmp_path: Path):
    """The soft limit of open files is raised, and idle connections are closed for new ones."""
    port = free_port()
    few = f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (128, {HARD_FILES}))"
    start = f"{few}; from mymozhem.__main__ import main; main()"
    serving = subprocess.Popen(
        [sys.executable, "-c", start, *command(tmp_path, "--port", str(port))[3:]],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment() | {"MYMOZHEM_MAX_CONNECTIONS": "300"},
    )
    assert serving.stderr is not None
    try:
        for line in serving.stderr:
            if b"Uvicorn running" in line:
                break
        with contextlib.ExitStack() as stack:
            for _ in range(500):
                client = socket.create_connection(("127.0.0.1", port), timeout=HANG_TIMEOUT)
                stack.enter_context(contextlib.closing(client))
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
                assert answer.status == 200
            open_files = len(list(Path(f"/proc/{serving.pid}/fd").iterdir()))
            assert 250 < open_files < 400
            last = stack.enter_context(
                contextlib.closing(
                    socket.create_connection(("127.0.0.1", port), timeout=HANG_TIMEOUT)
                )
            )
            last.sendall(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200)
            assert last.recv(13) == b"HTTP/1.1 431 "
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.communicate(timeout=HANG_TIMEOUT)
    assert serving.returncode == 0


def test_a_database_of_another_version_is_not_touched(tmp_path: Path):
    with sqlite3.connect(tmp_path / "mymozhem.sqlite3") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('0000')")
    connection.close()
    done = subprocess.run(
        command(tmp_path),
        capture_output=True,
        text=True,
        env=environment(),
        timeout=HANG_TIMEOUT,
        check=False,
    )
    assert done.returncode == 1
    assert "mymozhem db upgrade" in done.stderr


async def test_a_host_that_does_not_serve_yet_says_so(tmp_path: Path):
    app = create_app(Settings(data_dir=tmp_path, environment="test"))
    answer = await app.test_client().get("/health/ready")
    assert answer.status_code == 503
    assert (await answer.get_json())["error"]["code"] == "NOT_READY"
    assert answer.headers["Retry-After"] == "1"
