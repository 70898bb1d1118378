"""The evening that `mymozhem demo --script` plays, and what it does when something is wrong."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import test_utils, web
from click.testing import CliRunner
from rich.console import Console

from mymozhem.cli import cli
from mymozhem.config import Settings
from mymozhem.contract.demo import Attempt, DemoFailed
from mymozhem.demo.accounts import logins
from mymozhem.demo.discovery import find_demos
from mymozhem.demo.host_process import environment, free_port, running_host
from mymozhem.demo.http_evening import HttpEvening
from mymozhem.demo.scenario import play_script
from tests.support.timing import HANG_TIMEOUT

COMMAND = [sys.executable, "-m", "mymozhem", "demo"]
POSITIONS = "171, 245, 68, 190, 70, 126, 110, 128, 138, 173"
FAULT = '{"error": {"code": "X", "message": "Down.", "details": {}}}'
#: the fewest that a demo can have; 200 come if nobody says how many
PEOPLE = 12


def clean_environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MYMOZHEM_")}
    return kept | {"MYMOZHEM_DATA_DIR": str(folder), "TMPDIR": str(folder), **more}


def test_a_whole_evening_is_played_and_verified(tmp_path):
    run = subprocess.run(
        [*COMMAND, "--script", "--people", str(PEOPLE)],
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=HANG_TIMEOUT,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines()[-1].startswith("verified: 5 records")
    assert f"The drawn positions are the published ones: {POSITIONS}." in run.stdout
    assert run.stdout.count("Verified by vrs-1: 10 picks") == 1
    assert run.stdout.count("Verified by rfc3797: 10 picks") == 1
    assert run.stdout.count("; the first result stays.") == 2
    assert run.stdout.count(" came next in the draw, and has ") == 1
    assert run.stdout.count(f"Every score of {PEOPLE + 2} people in 10 questions is what") == 3
    assert list(tmp_path.iterdir()) == []


def test_a_demo_is_served_with_logins_of_its_own_and_stops_when_it_is_told(tmp_path):
    port = free_port()
    host = subprocess.Popen(
        [*COMMAND, "--port", str(port)],
        env=clean_environment(tmp_path, MYMOZHEM_DATABASE_URL="postgresql://127.0.0.1:1/none"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        record = asyncio.run(first_draw(f"http://127.0.0.1:{port}", tmp_path / "demo"))
    finally:
        host.send_signal(signal.SIGTERM)
        printed, _ = host.communicate(timeout=HANG_TIMEOUT)
    file = tmp_path / "record.json"
    file.write_text(json.dumps(record))
    assert CliRunner().invoke(cli, ["draw", "verify", str(file)]).exit_code == 0, printed
    assert "does not use MYMOZHEM_DATABASE_URL" in printed
    organizer, admin = logins(tmp_path / "demo")
    for login in (organizer, admin):
        assert login.password in printed
    assert (tmp_path / "demo" / "demo-logins.json").stat().st_mode & 0o077 == 0


async def first_draw(address: str, folder: Path) -> object:
    """Do over HTTP what the printed commands do; return the record of the draw."""
    async with aiohttp.ClientSession(address) as client:
        while not await answers(client):  # noqa: ASYNC110  another process starts
            await asyncio.sleep(0.1)
        organizer, _ = logins(folder)
        quiet = Console(quiet=True)
        evening = HttpEvening(client, quiet, app_id="", organizer="")
        credentials = {"email": organizer.email, "password": organizer.password}
        signed_in = await evening.call("POST", "/auth/login", credentials)
        token = signed_in["accessToken"]
        rooms = await evening.call("GET", "/rooms?status=ACTIVE&appId=lottery", token=token)
        path = f"/rooms/{rooms[0]['id']}/draws"
        wish = {"run": True, "reveal": "now"}
        draw = await evening.call("POST", path, wish, token=token)
        one = f"{path}/{draw['id']}"
        await evening.until(one, "status", "REVEALED", token=token)
        return await evening.call("GET", f"{one}/record")


async def answers(client: aiohttp.ClientSession) -> bool:
    try:
        async with client.get("/health/ready") as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False


async def test_without_an_app_that_plays_there_is_nothing_to_verify(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DemoFailed, match="No enabled app has an evening to play"):
        await play_script(Console(quiet=True), ["no-such-app"])


async def test_a_host_that_cannot_start_is_said_so_and_leaves_nothing_running(tmp_path):
    settings = Settings(data_dir=tmp_path / "file", environment="demo")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DemoFailed, match="The host ended while it started"):
        async with running_host(settings, log=tmp_path / "host.log"):
            pass
    assert (tmp_path / "host.log").read_text() != ""


def test_a_child_gets_nothing_of_what_sets_up_this_host(tmp_path, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_SECRET_KEY", "of the real host")
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", "postgresql://real")
    child = environment(Settings(data_dir=tmp_path), port=1)
    assert not {"MYMOZHEM_SECRET_KEY", "MYMOZHEM_DATABASE_URL"} & child.keys()
    assert child["MYMOZHEM_PORT"] == "1"


def test_only_demos_of_the_named_apps_are_imported():
    assert find_demos(()) == ()
    (demo,) = find_demos(("lottery",))
    assert demo.app_id == "lottery"
    assert {sample.status for sample in demo.samples} == set(type(demo.samples[0].status))
    assert demo.play is not None


@pytest.mark.parametrize("record", [None, {}, {"format": "mymozhem-draw-1"}, [], "record"])
async def test_a_record_that_does_not_hold_ends_the_evening(record):
    async with aiohttp.ClientSession() as client:
        evening = HttpEvening(client, Console(quiet=True), app_id="a", organizer="t")
        with pytest.raises(DemoFailed, match="A record does not hold"):
            evening.verify(record)
    assert evening.verified == 0


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (409, '{"error": {"code": "X", "message": "Not now.", "details": {}}}', "409 X: Not now."),
        (200, "<html>", "200 and no JSON"),
        (200, "[]", "200 and no envelope"),
        (500, "", "500 and no JSON"),
    ],
)
async def test_an_answer_that_is_not_a_success_ends_the_evening_with_what_was_said(
    status, body, said
):
    async with answering(status, body) as address, aiohttp.ClientSession(address) as client:
        evening = HttpEvening(client, Console(quiet=True), app_id="a", organizer="t")
        with pytest.raises(DemoFailed, match=re.escape(said)):
            await evening.call("POST", "/rooms", {})


async def test_what_is_refused_can_be_looked_at():
    body = '{"error": {"code": "X", "message": "Not now.", "details": {"n": 1}}}'
    async with answering(409, body) as address, aiohttp.ClientSession(address) as client:
        evening = HttpEvening(client, Console(quiet=True), app_id="a", organizer="t")
        assert await evening.attempt("POST", "/rooms", {}) == Attempt("X", {"n": 1})
    async with answering(200, '{"data": 7}') as address, aiohttp.ClientSession(address) as client:
        evening = HttpEvening(client, Console(quiet=True), app_id="a", organizer="t")
        assert await evening.attempt("GET", "/rooms") == Attempt(None, 7)


@pytest.mark.parametrize(
    ("status", "body"), [(503, FAULT), (500, ""), (200, "[]"), (409, "<html>")]
)
async def test_a_fault_of_the_host_is_no_refusal(status, body):
    async with answering(status, body) as address, aiohttp.ClientSession(address) as client:
        evening = HttpEvening(client, Console(quiet=True), app_id="a", organizer="t")
        with pytest.raises(DemoFailed, match=str(status)):
            await evening.attempt("GET", "/rooms")


async def test_calls_carry_keys_and_files_their_bytes():
    heard = []

    async def answer(request: web.BaseRequest) -> web.Response:
        heard.append((request.content_type, request.headers.get("Idempotency-Key")))
        heard.append(await request.read())
        return web.json_response({"data": None})

    async with serving(answer) as address, aiohttp.ClientSession(address) as client:
        evening = HttpEvening(client, Console(quiet=True), app_id="a", organizer="t", crowd=7)
        assert (evening.crowd, evening.organizer, evening.app_id) == (7, "t", "a")
        await evening.call("POST", "/rooms", {"n": 1}, token="t", key="k-1")
        await evening.upload("/rooms/r/import/words", b"caf\xe9", token="t")
    assert heard == [("application/json", "k-1"), b'{"n":1}', ("text/plain", None), b"caf\xe9"]


async def test_a_host_that_is_gone_ends_the_evening():
    address = f"http://127.0.0.1:{free_port()}"
    async with aiohttp.ClientSession(address) as client:
        evening = HttpEvening(client, Console(quiet=True), app_id="a", organizer="t")
        with pytest.raises(DemoFailed, match="got no answer"):
            await evening.call("GET", "/rooms")


@asynccontextmanager
async def answering(status: int, body: str) -> AsyncIterator[str]:
    """A server that gives every request the same answer."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=body)

    async with serving(answer) as address:
        yield address


@asynccontextmanager
async def serving(
    answer: Callable[[web.BaseRequest], Awaitable[web.Response]],
) -> AsyncIterator[str]:
    server = test_utils.RawTestServer(answer)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()
