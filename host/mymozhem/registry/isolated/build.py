"""Build an environment from a wheel: each step is a program with a timeout."""

import importlib.util
import json
import os
import shutil
import site
import stat
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import mymozhem
from mymozhem.config import Settings
from mymozhem.contract import JsonObject

from .environments import interpreter, site_packages
from .os_user import OsUser, variables
from .subprocesses import InstallFailed, StepFailed, for_apps, for_pip, run
from .wheels import Wheel, altered

FETCH_SECONDS = 300.0
BUILD_SECONDS = 60.0
ADD_SECONDS = 300.0
PROCESS_SECONDS = 10.0
"""How many seconds the process may take in addition to the app itself."""

#: the last such file, so that the host's folders come after those of the environment
PATH_FILE = "zzz_mymozhem_host.pth"

_PIP = (sys.executable, "-m", "pip")


def fetch(requirement: str, into: Path, user: OsUser) -> Path:
    """Let pip get a wheel of one version from its configured index; return it.

    If there is only the source, `user` builds it. Raises `InstallFailed`.
    """
    command = [*_PIP, "wheel", "--no-deps", "--wheel-dir", str(into)]
    try:
        if not user.apart:
            _pip([*command, requirement], FETCH_SECONDS, into)
            return _only_wheel(into)
        try:
            # No code of the package runs: what is not a wheel is not even unpacked.
            _pip([*command, "--only-binary=:all:", requirement], FETCH_SECONDS, into)
        except StepFailed:
            return _built_by(user, requirement, into)
        return _only_wheel(into)
    except StepFailed as error:
        raise InstallFailed(f"{requirement} could not be fetched: {error}") from error


def fetch_project(project: Path, into: Path, user: OsUser) -> Path:
    """Let pip build the wheel of a project in a folder, as `user`; raises `InstallFailed`."""
    try:
        if user.apart:
            return _built_by(user, project, into)
        command = [*_PIP, "wheel", "--no-deps", "--wheel-dir", str(into), str(project)]
        _build(lambda more: _pip([*command, *more], FETCH_SECONDS, into))
        return _only_wheel(into)
    except (OSError, StepFailed) as error:
        raise InstallFailed(f"{project} could not be fetched: {error}") from error


def build(wheel: Wheel, folder: Path, user: OsUser) -> None:
    """Create an environment in a folder, with a wheel and the dependencies that the host lacks.

    No code of the packages runs in it: the interpreter of the environment, which would run their
    `.pth` files, is not started once there is a package. If `user` is not the host's own, they are
    installed from wheels only, since a source distribution runs code. Raises `InstallFailed`.
    """
    python, packages = interpreter(folder), site_packages(folder)
    scratch = folder / "tmp"
    scratch.mkdir()
    make = [sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(folder / "venv")]
    resolve = [*_PIP, "--python", str(python), "install", "--no-warn-script-location"]
    binary = ["--only-binary=:all:"] if user.apart else []
    own = [*_PIP, "install", "--no-deps", "--no-index", "--upgrade", "--target", str(packages)]
    try:
        run(
            make,
            seconds=BUILD_SECONDS,
            variables=for_pip(os.environ, scratch=scratch),
            within=folder,
        )
        (packages / PATH_FILE).write_text(host_path(), encoding="utf-8")
        pinned = [str(wheel.path), f"mymozhem=={version('mymozhem')}"]
        _pip([*resolve, *binary, *pinned], ADD_SECONDS, scratch)
        if altered(wheel.path, packages) is not None:  # the host has this version, and pip kept it
            _pip([*own, str(wheel.path)], ADD_SECONDS, scratch)
    except StepFailed as error:
        name = f"{wheel.distribution} {wheel.version}"
        raise InstallFailed(f"An environment for {name} could not be made: {error}") from error


def describe(wheel: Wheel, folder: Path, settings: Settings, user: OsUser) -> JsonObject:
    """Get the manifest of the app in an environment, and return it unchecked; it runs as `user`.

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
        return _manifest(run(command, seconds=limit, variables=variables, within=folder, user=user))
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


def _built_by(user: OsUser, source: str | Path, into: Path) -> Path:
    """Let another user build a wheel in a folder of their own; return a copy of it."""
    if user.uid is None or user.gid is None:
        raise TypeError  # it is the host's own user
    place = into.parent / "build"
    place.mkdir()
    if isinstance(source, Path):
        shutil.copytree(source, place / "source", symlinks=True)
        source = place / "source"
    wheels = place / "wheel"
    wheels.mkdir()
    for each in (place, *place.rglob("*")):
        os.chown(each, user.uid, user.gid, follow_symlinks=False)
    given = {**for_pip(os.environ, scratch=place), **variables(str(place), os.environ)}
    command = [*_PIP, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(source)]
    _build(
        lambda more: run(
            [*command, *more], seconds=FETCH_SECONDS, variables=given, within=place, user=user
        )
    )
    return _taken(_only_wheel(wheels), into, user)


def _build(attempt: Callable[[list[str]], object]) -> None:
    """Build with the tools that the project names; if no index has them, with installed ones."""
    try:
        attempt([])
    except StepFailed as error:
        if "build dependencies" not in error.output:
            raise
        attempt(["--no-build-isolation"])


def _taken(wheel: Path, into: Path, user: OsUser) -> Path:
    """Copy a file that another user has written; they may have put a link in its place."""
    descriptor = os.open(wheel, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as written, (into / wheel.name).open("xb") as copy:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != user.uid:
            raise StepFailed("its build left something else than a wheel")
        shutil.copyfileobj(written, copy)
    return into / wheel.name


def _only_wheel(folder: Path) -> Path:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise StepFailed(f"pip made {len(wheels)} wheels, not one")
    return wheels[0]


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
