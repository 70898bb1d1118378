"""The kit as authors run it: under a pytest of their own, in a project of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mymozhem.testing import conformance
from mymozhem.testing.app_lookup import NotAnApp

APP = """
from mymozhem.contract import Context, Effects, Emit, Reply, SetState, hookimpl

@hookimpl
def app_manifest():
    return {
        "id": "bell",
        "meta": {"name": "Bell", "version": "1.0.0", "description": "Counts how often it rings."},
        "capabilities": ["actions"],
        "permissions": [],
        "actions": {"ring": {"title": "Ring the bell", "roles": ["PARTICIPANT"]}},
        "events": {"bell:rang": {"visibility": "public"}},
    }

@hookimpl
def handle_action(context: Context) -> Effects:
    rings = context.room.state.public.get("rings", 0) + 1
    event = Emit(type="bell:rang", payload={"rings": rings})
    return Effects.of(SetState(public={"rings": rings}), event, Reply(data=rings))
"""
TEST = """
from mymozhem.testing import conformance

TestConformance = conformance("my_bell")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "my_bell.py").write_text(APP)
    (tmp_path / "test_conformance.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    alone.pop("CI", None)  # where pytest says everything twice
    return subprocess.run(
        command, cwd=project, env=alone, capture_output=True, text=True, check=False
    )


def test_one_line_in_a_file_of_tests_is_enough(project):
    done = run(project, "-k", "manifest or title or signatures")
    assert done.returncode == 0, done.stdout
    assert "/events/bell:rang has no title" in done.stdout


def test_an_app_can_be_named_on_the_command_line(project):
    name = "--mymozhem-app=my_bell"
    done = run(project, "-p", "mymozhem.testing.pytest_plugin", name, "-k", "is_valid", "-vv")
    assert done.returncode == 0, done.stdout
    assert "my_bell: manifest_is_valid PASSED" in done.stdout
    assert "TestConformance::test_manifest_is_valid PASSED" in done.stdout


def test_who_breaks_a_rule_reads_what_to_do_and_nothing_of_the_kit(project):
    app = project / "my_bell.py"
    app.write_text(app.read_text().replace('"bell:rang": {', '"bell:rung": {'))
    named = ("-p", "mymozhem.testing.pytest_plugin", "--mymozhem-app=my_bell")
    done = run(project, *named, "-k", "keep_to_the_manifest")
    wanted = "- handle_action: emits 'bell:rang', which `events` of the manifest does not declare."
    assert done.returncode == 1
    assert done.stdout.count(wanted) == 2, done.stdout
    assert "find(" not in done.stdout


def test_an_app_that_is_not_there_is_said_so():
    with pytest.raises(NotAnApp, match="no installed app and no module 'no_bell'"):
        conformance("no_bell")().test_manifest_is_valid()


def test_without_pytest_the_kit_reports_and_the_rest_says_what_it_needs():
    program = """
import sys
sys.modules["pytest"] = None
from mymozhem.testing import report
assert not any(name.startswith("_pytest") for name in sys.modules)
from mymozhem.testing import over_both_transports
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "over_both_transports needs pytest: pip install 'mymozhem[testing]'" in done.stderr
