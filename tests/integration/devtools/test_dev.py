"""`mymozhem app dev`: five phones, every call shown, reload on change, and an end."""

import json
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mymozhem.contract.signing import new_secret
from mymozhem.devtools.project_names import Names
from mymozhem.devtools.scaffold import Language, write_project
from tests.integration.devtools.conftest import COMMAND, clean_environment
from tests.support.remote_project import running
from tests.support.timing import HANG_TIMEOUT


class Bench:
    """A bench that runs; what it prints is read from a file."""

    def __init__(self, project: Path, folder: Path, *more: str, **variables: str) -> None:
        self.printed = folder / "printed.txt"
        self.folder = folder / "data"
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(*COMMAND, "dev", str(project), "--port", "0"),
                    *("--data-dir", str(self.folder), *more),
                ],
                env=clean_environment(**variables),
                stdin=subprocess.PIPE, stdout=output, stderr=output,
            )  # fmt: skip
        self.read = 0

    def type(self, key: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{key}\n".encode())
        self.process.stdin.flush()

    def until(self, *wanted: str) -> str:
        """Wait until all of these were printed since the last time; return what was."""
        deadline = time.monotonic() + HANG_TIMEOUT
        while time.monotonic() < deadline:
            text = self.printed.read_text(encoding="utf-8")[self.read :]
            if all(each in text for each in wanted):
                self.read += len(text)
                return text
            assert self.process.poll() is None, self.printed.read_text()
            time.sleep(0.05)
        pytest.fail(f"{wanted} was not printed:\n{self.printed.read_text()}")

    def is_gone(self) -> bool:
        """Tell whether nothing of it runs any more, its worker included."""
        return not any(str(self.folder) in each for each in command_lines())

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        status = self.process.wait(timeout=HANG_TIMEOUT)
        deadline = time.monotonic() + HANG_TIMEOUT
        while not self.is_gone() and time.monotonic() < deadline:
            time.sleep(0.05)
        return status


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


@pytest.fixture
def bench(project, tmp_path) -> Iterator[Bench]:
    bench = Bench(project, tmp_path)
    yield bench
    if bench.process.poll() is None:
        bench.end(signal.SIGTERM)
    bench.process.stdin.close()


@pytest.fixture
def hooks(project) -> Path:
    return project / "src" / "mymozhem_bell_ringing" / "hooks.py"


def change(file: Path, old: str, new: str) -> None:
    """Save a file as an editor does, in one step."""
    text = file.read_text()
    assert old in text
    other = file.with_suffix(".saving")
    other.write_text(text.replace(old, new))
    other.replace(file)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked for in /proc")
def test_an_app_is_tried_changed_broken_mended_and_left(bench, hooks):
    greeting = bench.until("A saved file is loaded at once")
    assert "Bell ringing 0.1.0 runs at http://127.0.0.1:" in greeting
    assert "Ada, Bob, Cem, Dee, Eve" in greeting
    (room,) = re.findall(r"/rooms/(\w+)", greeting)
    assert """-d '{"question": "Shall we have a break?"}'""" in greeting

    bench.type("p")
    answers = [f"{name} answers question-1" for name in ("Ada", "Bob", "Cem", "Dee", "Eve")]
    played = bench.until("close_window question-1", "bell-ringing:counted", *answers)
    assert "handle_action ask  ORGANIZER" in played
    assert "effects  setState" in played
    assert '"yes": 3, "no": 2' in played

    change(hooks, "question.endswith", "not question.endswith")
    again = bench.until("runs again, in the same room")
    assert room not in again
    bench.type("p")
    assert "refused  NOT_A_QUESTION" in bench.until("refused, NOT_A_QUESTION")

    change(hooks, "if not not question", "if 1 / 0 or question")
    bench.until("runs again, in the same room")
    bench.type("p")
    crashed = bench.until("raised   ZeroDivisionError", "if 1 / 0 or question", "503 APP_FAILED")
    assert "site-packages" not in crashed

    change(hooks, "if 1 / 0 or question", "if not question")
    change(hooks, "type=ASKED", 'type="bell-ringing:unheard"')
    change(hooks, "type=COUNTED", 'type="bell-ringing:unheard"')
    bench.until("runs again, in the same room")
    bench.type("p")
    bench.until("EFFECT_REFUSED: emit: The manifest declares no event 'bell-ringing:unheard'.")
    change(hooks, 'Emit(type="bell-ringing:unheard", payload={"question": question}),', "")
    bench.until("runs again, in the same room")
    bench.type("p")
    bench.until("close_window was not applied, EFFECT_REFUSED: emit: The manifest declares no")

    change(hooks, "if not question", "if (1 / 0 or question")
    bench.until("SyntaxError", "The app is not running")
    change(hooks, "if (1 / 0 or question", "if not question")
    bench.until("runs again, in the same room")

    change(hooks.with_name("manifest.json"), "Seconds to answer", "Time to answer")
    anew = bench.until("A new room is created", "A saved file is loaded at once")
    assert room not in anew

    assert bench.end(signal.SIGINT) == 0
    assert bench.is_gone()


def test_q_is_the_end_even_before_anything_runs(bench):
    bench.until("stop it with Ctrl+C")
    bench.type("q")
    assert bench.process.wait(timeout=HANG_TIMEOUT) == 0
    assert bench.is_gone()


def test_a_reload_refuses_no_connection_closes_the_breaker_and_plays_the_scenario(
    project, tmp_path, hooks
):
    """The end is a kill, with which what holds the app ends as well."""
    script = tmp_path / "evening.json"
    ask = {"action": "ask", "payload": {"question": "Break?"}, "answers": [{"answer": "no"}] * 5}
    script.write_text(json.dumps([ask] * 6))
    change(hooks, "poll = Poll(asked", 'raise RuntimeError("broken")\n    poll = Poll(asked')
    bench = Bench(project, tmp_path, "--script", str(script))
    refused: list[OSError] = []
    try:
        greeting = bench.until("The scenario is over: 6 steps.")
        assert "503 APP_PAUSED" in greeting  # the breaker is open
        (port,) = re.findall(r"http://127.0.0.1:(\d+) ", greeting)
        over = threading.Event()
        connecting = threading.Thread(target=connect_repeatedly, args=(int(port), over, refused))
        connecting.start()
        change(hooks, 'raise RuntimeError("broken")\n    ', "")
        again = bench.until("runs again, in the same room", "Ada answers question-1", "steps.")
        over.set()
        connecting.join()
        assert refused == []
        assert "APP_PAUSED" not in again
        assert '"no": 5' in again
        bench.type("f")
        bench.until("close_window")
    finally:
        status = bench.end(signal.SIGKILL)
        bench.process.stdin.close()
    assert status == -signal.SIGKILL
    assert bench.is_gone()


def connect_repeatedly(port: int, over: threading.Event, refused: list[OSError]) -> None:
    """Connect again and again, and note what is refused."""
    while not over.wait(0.02):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=HANG_TIMEOUT).close()
        except OSError as error:
            refused.append(error)


async def test_an_app_that_is_a_web_service_is_tried_and_its_manifest_is_watched(tmp_path):
    project, secret = tmp_path / "project", new_secret()
    write_project(Names.of("show-of-hands"), project, remote=Language.PYTHON)
    manifest = project / "manifest.json"
    async with running(project, Language.PYTHON, secret) as url:
        options = ("--url", url, "--manifest", str(manifest))
        bench = Bench(project, tmp_path, *options, MYMOZHEM_APP_SECRET=secret)
        try:
            greeting = bench.until("A saved file is loaded at once")
            assert "Show of hands 0.1.0 runs at http://127.0.0.1:" in greeting
            bench.type("p")
            played = bench.until("close_window question-1", "show-of-hands:counted")
            assert '"yes": 3, "no": 2' in played
            change(manifest, "Seconds to answer", "Time to answer")
            bench.until("A new room is created", "A saved file is loaded at once")
        finally:
            bench.end(signal.SIGTERM)
            bench.process.stdin.close()
    assert bench.is_gone()
