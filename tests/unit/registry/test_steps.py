import os
import signal
import sys
from pathlib import Path

import pytest

from mymozhem.registry.isolated.subprocesses import StepFailed, for_apps, for_pip, run

GIVEN = {
    "PATH": "/bin",
    "HOME": "/somewhere/ada",
    "PIP_INDEX_URL": "file:///index",
    "PIP_TARGET": "/elsewhere",
    "https_proxy": "http://127.0.0.1:1",
    "MYMOZHEM_SECRET_KEY": "secret",
    "DATABASE_PASSWORD": "secret",
    "PYTHONPATH": "/somewhere",
}


def program(text: str, within: Path, seconds: float = 20.0) -> str:
    return run([sys.executable, "-c", text], seconds=seconds, variables={}, within=within)


def test_what_a_program_writes_is_returned(tmp_path):
    assert program("import os; print(os.getcwd())", tmp_path) == f"{tmp_path}\n"


def test_a_program_that_fails_is_an_error_with_the_lines_that_tell(tmp_path):
    text = "import sys; print('much talk'); sys.exit('ERROR: no such thing')"
    with pytest.raises(StepFailed) as caught:
        program(text, tmp_path)
    assert str(caught.value) == "it ended with status 1\nERROR: no such thing"
    assert "much talk" in caught.value.output


def test_a_program_without_an_end_is_killed_with_what_it_started(tmp_path):
    text = (
        "import pathlib, subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "pathlib.Path('child').write_text(str(child.pid)); time.sleep(600)"
    )
    with pytest.raises(StepFailed, match="not done within 3 seconds"):
        program(text, tmp_path, seconds=3.0)
    child = int((tmp_path / "child").read_text())
    for _ in range(2_000):  # whoever inherited it has to collect it
        if not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text():
            return
        os.sched_yield()
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child of the program lives on")


def test_pip_knows_where_to_look_and_no_secret(tmp_path):
    known = for_pip(GIVEN, scratch=tmp_path)
    kept = {"PATH", "HOME", "PIP_INDEX_URL", "https_proxy"}
    assert known.keys() & GIVEN.keys() == kept
    assert "secret" not in known.values()
    assert known["TMPDIR"] == str(tmp_path)


def test_an_app_knows_less(tmp_path):
    assert for_apps(GIVEN).keys() & GIVEN.keys() == {"PATH"}
