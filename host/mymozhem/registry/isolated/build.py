"""How an environment is made from a wheel: the steps, each a program with a deadline."""

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
"""How much longer than the app itself a process may take that asks it."""

#: read last of all such files, so that the host's folders come behind what the environment has
PATH_FILE = "zzz_mymozhem_host.pth"

_PIP = (sys.executable, "-m", "pip")


def fetch(requirement: str, into: Path) -> Path:
    """Have pip get a wheel, from where it is configured to look or from a project's folder.

    Raises `InstallFailed`.
    """
    command = [*_PIP, "wheel", "--no-deps", "--wheel-dir", str(into), requirement]
    try:
        try:
            _pip(command, FETCH_SECONDS, into)
        except StepFailed as error:
            if "build dependencies" not in error.output:
                raise
            _pip([*command, "--no-build-isolation"], FETCH_SECONDS, into)  # what is here may do
    except StepFailed as error:
        raise InstallFailed(f"{requirement} could not be had: {error}") from error
    (wheel,) = into.glob("*.whl")
    return wheel


def build(wheel: Wheel, folder: Path) -> None:
    """Make an environment in a folder, with a wheel and what it needs beyond the host's libraries.

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
        # Forced, since the very version may be among the host's; that one stays where it is.
        own = ["--no-deps", "--force-reinstall", "--no-index", str(wheel.path)]
        _pip([*pip, *own], ADD_SECONDS, scratch)
        _pip([*pip, *pinned], ADD_SECONDS, scratch)
    except StepFailed as error:
        name = f"{wheel.distribution} {wheel.version}"
        raise InstallFailed(f"An environment for {name} could not be made: {error}") from error


def describe(wheel: Wheel, folder: Path, settings: Settings) -> JsonObject:
    """Ask the app in an environment for its manifest, and return it unchecked.

    Raises `InstallFailed` with what the app does wrong.
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
    """Return the lines that let another interpreter see the libraries of this host, in its order.

    The folders of packages are added as Python itself adds them, with what is installed there to be
    edited in place.
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
            "pip is missing beside the host, and installing takes it. Type "
            f"`{sys.executable} -m ensurepip`, then the same again."
        )
    run(command, seconds=seconds, variables=for_pip(os.environ, scratch=scratch), within=scratch)


def _manifest(answer: str) -> JsonObject:
    """Return the manifest in an answer, which the app may have had its hands on."""
    try:
        said = json.loads(answer)
    except ValueError as error:
        raise StepFailed("it spoiled the answer to what it is") from error
    if isinstance(said, dict) and isinstance(said.get("manifest"), dict):
        manifest: JsonObject = said["manifest"]
        return manifest
    reasons = said.get("reasons") if isinstance(said, dict) else None
    raise StepFailed("; ".join(map(str, reasons)) if isinstance(reasons, list) else "no answer")
