"""Build an environment from a wheel: each step is a program with a timeout."""

import importlib.util
import json
import os
import site
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import mymozhem
from mymozhem.config import Settings
from mymozhem.contract import JsonObject

from .environments import interpreter, site_packages
from .subprocesses import InstallFailed, StepFailed, for_apps, for_pip, run
from .wheels import Wheel

FETCH_SECONDS = 300.0
BUILD_SECONDS = 60.0
ADD_SECONDS = 300.0
PROCESS_SECONDS = 10.0
"""How many seconds the process may take in addition to the app itself."""

#: the last such file, so that the host's folders come after those of the environment
PATH_FILE = "zzz_mymozhem_host.pth"

_PIP = (sys.executable, "-m", "pip")


def fetch(requirement: str, into: Path) -> Path:
    """Let pip get a wheel, from its configured index or from a project's folder.

    Raises `InstallFailed`.
    """
    command = [*_PIP, "wheel", "--no-deps", "--wheel-dir", str(into), requirement]
    try:
        try:
            _pip(command, FETCH_SECONDS, into)
        except StepFailed as error:
            if "build dependencies" not in error.output:
                raise
            _pip([*command, "--no-build-isolation"], FETCH_SECONDS, into)  # try the installed one
    except StepFailed as error:
        raise InstallFailed(f"{requirement} could not be fetched: {error}") from error
    (wheel,) = into.glob("*.whl")
    return wheel


def build(wheel: Wheel, folder: Path) -> None:
    """Create an environment in a folder, with a wheel and the dependencies that the host lacks.

    Raises `InstallFailed`.
    """
    python = interpreter(folder)
    scratch = folder / "tmp"
    scratch.mkdir()
    make = [sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(folder / "venv")]
    pip = [*_PIP, "--python", str(python), "install", "--no-warn-script-location"]
    pinned = [f"{wheel.distribution}=={wheel.version}", f"mymozhem=={version('mymozhem')}"]
    try:
        run(
            make,
            seconds=BUILD_SECONDS,
            variables=for_pip(os.environ, scratch=scratch),
            within=folder,
        )
        (site_packages(folder) / PATH_FILE).write_text(host_path(), encoding="utf-8")
        # Forced, since the host may have the same version, which is kept.
        own = ["--no-deps", "--force-reinstall", "--no-index", str(wheel.path)]
        _pip([*pip, *own], ADD_SECONDS, scratch)
        _pip([*pip, *pinned], ADD_SECONDS, scratch)
    except StepFailed as error:
        name = f"{wheel.distribution} {wheel.version}"
        raise InstallFailed(f"An environment for {name} could not be made: {error}") from error


def describe(wheel: Wheel, folder: Path, settings: Settings) -> JsonObject:
    """Get the manifest of the app in an environment, and return it unchecked.

    Raises `InstallFailed` with the app's faults.
    """
    seconds = settings.isolated_start_seconds
    words = (wheel.distribution, wheel.version, str(seconds), str(settings.isolated_memory_mb))
    command = [
        str(interpreter(folder)),
        "-I",
        "-m",
        "mymozhem.registry.isolated.describe_process",
        *words,
    ]
    variables, limit = for_apps(os.environ), seconds + PROCESS_SECONDS
    try:
        return _manifest(run(command, seconds=limit, variables=variables, within=folder))
    except StepFailed as error:
        name = f"{wheel.distribution} {wheel.version}"
        raise InstallFailed(f"{name} cannot run: {error}") from error


def host_path() -> str:
    """Return the lines that let another interpreter import this host's libraries, in order.

    The folders of packages are added as Python itself adds them, including editable installations.
    """
    return "".join(f"{line}\n" for line in dict.fromkeys(_path_lines()))


def _path_lines() -> Iterator[str]:
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    yield from (str(Path(each).resolve()) for each in given if each)
    yield str(Path(mymozhem.__file__).resolve().parents[1])
    folders = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        folders.insert(0, site.getusersitepackages())
    for each in folders:
        yield f"import site; site.addsitedir({each!a})"


def _pip(command: list[str], seconds: float, scratch: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise InstallFailed(
            "The installation needs pip, which the host's environment lacks. Type "
            f"`{sys.executable} -m ensurepip`, then try again."
        )
    run(command, seconds=seconds, variables=for_pip(os.environ, scratch=scratch), within=scratch)


def _manifest(answer: str) -> JsonObject:
    """Return the manifest in the output, which the app may have manipulated."""
    try:
        reply = json.loads(answer)
    except ValueError as error:
        raise StepFailed("it broke the output of its description") from error
    if isinstance(reply, dict) and isinstance(reply.get("manifest"), dict):
        manifest: JsonObject = reply["manifest"]
        return manifest
    reasons = reply.get("reasons") if isinstance(reply, dict) else None
    raise StepFailed("; ".join(map(str, reasons)) if isinstance(reasons, list) else "no answer")
