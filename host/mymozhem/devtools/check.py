"""Checks an app: its manifest, its behaviour, its tests and its documents."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from mymozhem.contract import JsonObject
from mymozhem.registry.discovery import GROUP

from .app_source import AppSource
from .check_docs import look_at_project, look_at_texts
from .report import Finding, Level, Report

#: deadlines of the kit and of the app's own tests
KIT_SECONDS = 300
TESTS_SECONDS = 600
#: pytest's exit status if it finds no test
_NO_TESTS = 5
_LAST_LINES = 15


def check(source: AppSource, *, strict: bool = False) -> Report:
    """Return the report on an app; its code runs in separate processes."""
    with tempfile.TemporaryDirectory(prefix="mymozhem-check-") as folder:
        surroundings = _surroundings(source, Path(folder))
        document, findings, evidence = _inspected(source, Path(folder), surroundings)
        if document is not None:
            findings += look_at_texts(document)
            if source.project is not None:
                findings += look_at_project(document, source.project)
        findings += _tested(source, surroundings)
    return Report(source.app_id, tuple(findings), strict, evidence)


def _surroundings(source: AppSource, folder: Path) -> dict[str, str]:
    """Return the environment of a process in which the app is installed, for that process only."""
    kept = {name: value for name, value in os.environ.items() if name[:9] != "MYMOZHEM_"}
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    if source.search is None:
        return kept
    metadata = folder / f"{source.app_id.replace('-', '_')}-{source.version or 0}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {source.discovered.distribution}\n"
        f"Version: {source.version or 0}\n"
    )
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{source.app_id} = {source.value}\n")
    path = (str(folder), str(source.search), kept.get("PYTHONPATH", ""))
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, path))}


def _inspected(
    source: AppSource, folder: Path, surroundings: Mapping[str, str]
) -> tuple[JsonObject | None, list[Finding], JsonObject | None]:
    """Import the app in another process, and check it against the contract there."""
    file = folder / "inspected.json"
    module = f"{__package__}.check_process"
    arguments = [source.app_id, str(file)]
    try:
        run = _run([sys.executable, "-m", module, *arguments], surroundings, KIT_SECONDS)
    except subprocess.TimeoutExpired:
        sentence = f"The kit did not finish within {KIT_SECONDS} seconds."
        return None, [Finding("kit", Level.PROBLEM, sentence)], None
    if not file.is_file():
        return None, [Finding("kit", Level.PROBLEM, "The kit failed.", _last(run))], None
    said = json.loads(file.read_text(encoding="utf-8"))
    findings = [
        Finding(each["area"], Level(each["level"]), each["sentence"], tuple(each["problems"]))
        for each in said["findings"]
    ]
    return said["manifest"], findings, said["evidence"]


def _tested(source: AppSource, surroundings: Mapping[str, str]) -> Iterator[Finding]:
    """Run the project's own tests, except the conformance kit, which ran already."""
    folder = source.project / "tests" if source.project is not None else None
    if source.project is None or folder is None or not folder.is_dir():
        yield Finding("tests", Level.REMARK, "The app has no tests of its own.")
        return
    if find_spec("pytest") is None:
        sentence = "pytest is not installed here: pip install pytest"
        yield Finding("tests", Level.PROBLEM, sentence)
        return
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-k", "not Conformance", str(folder)]
    try:
        run = _run(command, surroundings, TESTS_SECONDS, within=source.project)
    except subprocess.TimeoutExpired:
        sentence = f"They did not finish within {TESTS_SECONDS} seconds."
        yield Finding("tests", Level.PROBLEM, sentence)
        return
    if run.returncode == _NO_TESTS:
        yield Finding("tests", Level.REMARK, "The app has no tests of its own.")
    elif run.returncode == 0:
        yield Finding("tests", Level.OK, f"Its own tests: {_last(run)[-1]}")
    else:
        yield Finding("tests", Level.PROBLEM, "Its own tests fail.", _last(run))


def _run(
    command: list[str],
    surroundings: Mapping[str, str],
    seconds: int,
    *,
    within: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own interpreter
        command,
        cwd=within,
        env=dict(surroundings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )


def _last(run: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    """Return the last lines of a process's output."""
    lines = [line for line in run.stdout.splitlines() if line.strip()]
    return tuple(lines[-_LAST_LINES:]) or ("it said nothing",)
