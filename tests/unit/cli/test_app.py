"""`mymozhem app serve` makes a web service of an app, which answers signed questions."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.contract.envelopes import ReplyEnvelope
from mymozhem.contract.signing import parse_key
from mymozhem.manifests.validate import validate_manifest
from tests.unit.contract.signed_calls import SECRET, context, question, signed

ROOT = Path(__file__).resolve().parents[3]
TASTING = ROOT / "docs" / "examples" / "tasting" / "src"
BLOCKED = """
import time
from mymozhem.contract import hookimpl

class App:
    @hookimpl
    def handle_action(self):
        time.sleep(3600)

class Parts:
    app = App()
"""


@contextlib.contextmanager
def serving(
    *arguments: str, folder: Path, **variables: str
) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run the command in a folder; yields where it answers, and the process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MYMOZHEM_")}
    program = [sys.executable, "-m", "mymozhem", "app", "serve", *arguments, "--port", "0"]
    with subprocess.Popen(
        program,
        cwd=folder,
        env={**kept, "PYTHONUNBUFFERED": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"listens at (http://\S+) ", line)
            assert found, line + process.stderr.read()
            yield found[1], process
        finally:
            process.kill()


def send(
    url: str,
    method: str = "GET",
    path: str = "/",
    body: bytes | None = None,
    headers=(),
    seconds=30,
):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=seconds)
    with contextlib.closing(connection):
        connection.request(method, path, body, dict(headers))
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())


def ask(url: str, key=SECRET, seconds=30, **fields: object):
    body = json.dumps(question(**fields)).encode()
    headers = signed(body, parse_key(key), timestamp=int(time.time()))
    return send(url, "POST", "/hooks", body, headers, seconds)


def pour() -> dict[str, object]:
    settings = {"samples": [{"bottle": "Château"}]}
    room = {**context()["room"], "settings": settings, "state": {}}
    return {
        "context": context(room=room),
        "request": {"action": "pour", "payload": {"sample": 1}},
    }


def test_an_app_is_served_as_it_stands_until_sigterm(tmp_path):
    variables = {"PYTHONPATH": str(TASTING), "MYMOZHEM_APP_SECRET": SECRET}
    with serving("mymozhem_tasting", folder=tmp_path, **variables) as (url, process):
        assert send(url)[1]["app"] == {"id": "tasting", "name": "Blind tasting", "version": "1.0.0"}
        assert send(url, path="/health") == (200, {"status": "ok"})
        status, body = ask(url, **pour())
        assert status == 200, body
        reply = ReplyEnvelope.model_validate(body)
        assert reply.outcome == "ok"
        assert "openWindow" in {each["effect"] for each in reply.data["effects"]}
        assert ask(url, "whsec_" + "A" * 32)[0] == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def test_a_function_that_never_returns_does_not_keep_the_server_from_stopping(tmp_path):
    (tmp_path / "mine.py").write_text(BLOCKED)
    with serving("mine:Parts.app", "--secret", SECRET, folder=tmp_path) as (url, process):
        with pytest.raises(TimeoutError):
            ask(url, seconds=0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_without_a_key_it_makes_one_and_says_where_the_right_one_comes_from(tmp_path):
    with serving("mymozhem_tasting", folder=tmp_path, PYTHONPATH=str(TASTING)) as (url, process):
        process.send_signal(signal.SIGTERM)  # however early it comes
        assert process.wait(30) == 0
        said = process.stderr.read()
    secret = re.search(r"whsec_[\w+/=]{40,}", said)[0]
    assert parse_key(secret)
    assert "mymozhem app serve mymozhem_tasting --base-url https://… --manifest" in said
    assert "appSecret" in said
    assert url.startswith("http://127.0.0.1:")


def run(*arguments: str, **variables: str):
    return CliRunner().invoke(cli, ["app", "serve", *arguments], env=variables)


def test_the_manifest_to_register_is_printed_and_valid():
    printed = run(
        "mymozhem_tasting", "--manifest", "--base-url", "https://a.example.org/", "--path", "/x"
    )
    assert printed.exit_code == 0, printed.stderr
    document = json.loads(printed.stdout)
    assert (document["baseUrl"], document["webhooks"]) == ("https://a.example.org", "/x")
    assert validate_manifest(document).manifest.is_remote


def test_a_folder_with_a_project_is_served_as_it_lies_there():
    tasting = Path(__file__).parents[3] / "docs" / "examples" / "tasting"
    printed = run(str(tasting), "--manifest", "--base-url", "https://a.example.org")
    assert json.loads(printed.stdout)["id"] == "tasting", printed.stderr


def test_a_folder_whose_project_offers_no_app_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "nothing"\n')
    refused = run(str(tmp_path), "--manifest")
    assert refused.exit_code == 1
    assert "offers no app" in refused.stderr


def test_by_default_the_manifest_names_the_address_that_would_be_listened_on():
    printed = run("mymozhem_tasting", "--manifest", "--port", "9002", "--host", "::1")
    assert json.loads(printed.stdout)["baseUrl"] == "http://[::1]:9002"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-app"], "No app is installed as 'no-such-app', and there is no module"),
        (["mymozhem_tasting:nothing"], "mymozhem_tasting has no 'nothing'"),
        (["json"], "This is not an app: it implements no hook"),
        (["mymozhem_tasting", "--secret", "hunter2"], "This is not a key: "),
        (["json", "--manifest"], "This is not an app"),
        (["mymozhem_tasting", "--manifest", "--base-url", "http://a.example.org"], "only https"),
        (["mymozhem_tasting", "--manifest", "--path", "x"], "manifest /webhooks"),
        (["mymozhem_tasting", "--secret", SECRET, "--host", "192.0.2.1"], "Cannot listen at"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(arguments, said):
    refused = run(*arguments)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert said in refused.stderr
    assert "hunter2" not in refused.stderr


def test_a_module_that_does_not_import_shows_its_author_where(tmp_path, monkeypatch):
    (tmp_path / "broken_app.py").write_text("import no_such_library\n")
    monkeypatch.chdir(tmp_path)
    refused = run("broken_app")
    assert refused.exit_code == 1
    assert "broken_app could not be imported; see above." in refused.stderr
    assert "no_such_library" in refused.stderr
