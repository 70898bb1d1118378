"""A new project is fit to ship as it is, and a spoilt one is not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from tests.integration.devtools.conftest import clean_environment

ROOT = Path(__file__).resolve().parents[3]
HOST = ROOT / "host"


def run(*command, within):
    environment = clean_environment(MYPYPATH=os.pathsep.join((str(HOST), "src")))
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=within, env=environment, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else None


def files_of(folder):
    return {
        str(each.relative_to(folder)): each.read_text()
        for each in folder.rglob("*")
        if each.is_file()
    }


def test_a_new_project_passes_the_kit_and_all_else_untouched(call, project):
    done = call("check", str(project), "--strict", "--format", "json")
    verdict = json.loads(done.stdout)
    wrong = [each for each in verdict["findings"] if each["level"] != "ok"]
    assert (done.returncode, wrong) == (0, [])
    assert verdict["fit"] is True
    areas = {each["area"] for each in verdict["findings"]}
    assert areas == {"manifest", "kit", "reach", "documentation", "tests"}
    assert verdict["level"] == {"number": 3, "name": "complete"}
    assert verdict["evidence"]["counts"]["actions"] == {"declared": 1, "reached": 1}


def test_a_new_project_is_clean_for_linter_and_formatter(project):
    assert run("ruff", "check", "--no-cache", ".", within=project) is None
    assert run("ruff", "format", "--no-cache", "--check", ".", within=project) is None


def test_a_new_project_is_typed(project):
    """Not the file that calls the kit: with it, mypy reads the whole host."""
    (project / "tests" / "test_conformance.py").unlink()
    cache = ("--cache-dir", str(ROOT / ".mypy_cache" / "new-project"))
    assert run("mypy", "--strict", *cache, "src", "tests", within=project) is None


def test_a_new_project_installs_as_a_package_that_offers_its_app(project, tmp_path):
    target = tmp_path / "site"
    quiet = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    assert run("pip", "install", *quiet, "--target", str(target), ".", within=project) is None
    program = "from mymozhem.registry.discovery import discover; print(discover())"
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment(PYTHONPATH=str(target)), text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    assert "app_id='bell-ringing'" in done.stdout
    assert "distribution='mymozhem-bell-ringing'" in done.stdout
    assert (target / "mymozhem_bell_ringing" / "manifest.json").is_file()


def test_the_command_makes_a_project_but_not_twice(call, tmp_path, project):
    made = call("new", "bell-ringing", "--into", str(tmp_path / "made"))
    assert (made.returncode, made.stderr) == (0, "")
    assert files_of(tmp_path / "made" / "bell-ringing") == files_of(project)
    again = call("new", "bell-ringing", "--into", str(tmp_path / "made"))
    assert again.returncode == 1
    assert again.stderr.startswith("Error: ")
    assert "not empty" in again.stderr


def test_an_app_that_the_platform_does_not_take_is_not_fit_and_it_is_said_why(call, project):
    manifest = project / "src" / "mymozhem_bell_ringing" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"windows"', '"widnows"'))
    (project / "README.md").unlink()
    shutil.rmtree(project / "tests")
    done = call("check", within=project)
    assert done.returncode == 1
    assert "manifest      problem" in done.stdout
    assert "manifest /capabilities/1" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "bell-ringing is not fit to ship: level 0 of 3, broken. Fix the problems."
    )


def test_code_that_cannot_be_imported_is_not_fit_and_the_line_is_named(call, project):
    hooks = project / "src" / "mymozhem_bell_ringing" / "hooks.py"
    hooks.write_text(hooks.read_text() + "\noops(\n")
    shutil.rmtree(project / "tests")
    done = call("check", within=project)
    assert done.returncode == 1
    assert "SyntaxError" in done.stdout
    assert "hooks.py, line" in done.stdout


@pytest.mark.parametrize("command", ["check", "dev"])
def test_what_is_no_app_is_said_in_a_sentence(command):
    done = CliRunner().invoke(cli, ["app", command, "nowhere"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: There is no app 'nowhere'")
