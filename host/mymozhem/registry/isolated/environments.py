"""The environments of isolated apps on disk: one folder each, read and checked.

The folder is the only state, so environments can be added and removed while a host runs, even if
the database is locked::

    <folder of environments>/
        acme-auction-1.0.0-3f0c2a91d4be/        distribution, version, start of the wheel's digest
            environment.json                    written last: without it there is no environment
            venv/                               the interpreter, the app, what only the app needs
            wheel/<file>.whl                    the wheel that was installed
            log/                                the output of its workers
"""

import os
import sys
import sysconfig
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from mymozhem.contract import JsonObject
from mymozhem.manifests.validate import validate_manifest
from mymozhem.registry.loaded_code import IsolatedCode, Refused

from .wheels import altered, digest_of, normal

FORMAT: Literal["mymozhem-isolated-1"] = "mymozhem-isolated-1"
DOCUMENT = "environment.json"

#: the platform of compiled libraries: the host's libraries work for this interpreter only
PYTHON = sys.implementation.cache_tag

#: each existing environment, by the modification time and inode of its document
Stamp = frozenset[tuple[str, int, int]]


class Environment(BaseModel):
    """The content of `environment.json`.

    `entry_point` is the value of the app's entry point, `python` the interpreter that it was built
    for, and `host` the prefix of the installation whose libraries it uses. `as_root` means that the
    operator allows its code to run as root.
    """

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        defer_build=True,
    )

    format: Literal["mymozhem-isolated-1"] = FORMAT
    app_id: str
    distribution: str
    version: str
    wheel_digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    entry_point: str
    manifest: JsonObject
    python: str
    host: str
    built_at: datetime
    as_root: bool = False


@dataclass(frozen=True)
class Installed:
    """The environments of a host: those that may run, and the reasons why others may not."""

    codes: tuple[IsolatedCode, ...] = ()
    refused: tuple[Refused, ...] = ()


class _Broken(Exception):
    """Why an environment is broken; raised inside the checks."""


class Environments:
    """The environments below one folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stamp(self) -> Stamp:
        """Return a value that changes if an environment is added, removed or replaced; cheap."""
        with suppress(OSError):  # `read` returns why it cannot be listed
            return frozenset((folder.name, *file) for folder, file in _complete(self.folder))
        return frozenset()

    def read(self) -> Installed:
        """Read and check every environment; broken ones are returned with their reasons."""
        try:
            found = [read(folder) for folder in folders(self.folder)]
        except OSError as error:
            reason = f"the environments in {self.folder} cannot be listed: {error}"
            return Installed(refused=(Refused(self.folder.name, (reason,)),))
        return Installed(
            tuple(each for each in found if isinstance(each, IsolatedCode)),
            tuple(each for each in found if isinstance(each, Refused)),
        )


def folders(isolated_dir: Path) -> tuple[Path, ...]:
    """Return the folders of complete environments, by name.

    Raises OSError if they cannot be listed.
    """
    return tuple(folder for folder, _ in _complete(isolated_dir))


def read(folder: Path) -> IsolatedCode | Refused:
    """Read and check one environment; if it is broken, return the reason; never raises."""
    app_id = folder.name
    try:
        said = Environment.model_validate_json((folder / DOCUMENT).read_bytes())
        app_id = said.app_id
        return _code(folder, said)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(map(str, fault["loc"]))
        return _refused(app_id, folder, f"its {DOCUMENT} cannot be used ({at}: {fault['msg']})")
    except (_Broken, OSError, zipfile.BadZipFile) as error:
        return _refused(app_id, folder, str(error))


def folder_name(distribution: str, version: str, wheel_digest: str) -> str:
    """Return the name of the folder of an environment."""
    return f"{normal(distribution)}-{version}-{wheel_digest[:12]}"


def interpreter(folder: Path) -> Path:
    """Return the interpreter of an environment, which runs its code."""
    return folder / "venv" / "bin" / "python"


def site_packages(folder: Path) -> Path:
    """Return the folder of the packages of an environment."""
    venv = str(folder / "venv")
    return Path(sysconfig.get_path("purelib", "venv", vars={"base": venv, "platbase": venv}))


def log_folder(folder: Path) -> Path:
    """Return the folder of the logs of an environment's workers."""
    return folder / "log"


def wheel_of(folder: Path) -> Path:
    """Return the wheel of an environment; raises `FileNotFoundError` unless there is one."""
    wheels = sorted((folder / "wheel").glob("*.whl"))
    if len(wheels) != 1:
        raise FileNotFoundError(f"there are {len(wheels)} wheels in {folder / 'wheel'}, not one")
    return wheels[0]


def _complete(isolated_dir: Path) -> list[tuple[Path, tuple[int, int]]]:
    """Return each folder that has a document, with that one's change time and inode.

    Both are 0 if the system cannot return them: a read of the document gives the reason.
    """
    try:
        entries = sorted(isolated_dir.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for folder in (each for each in entries if not each.name.startswith(".")):
        try:
            stat = (folder / DOCUMENT).stat()
            found.append((folder, (stat.st_mtime_ns, stat.st_ino)))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            found.append((folder, (0, 0)))
    return found


def _refused(app_id: str, folder: Path, reason: str) -> Refused:
    return Refused(app_id, (f"the environment {folder.name} cannot run: {reason}",))


def _code(folder: Path, said: Environment) -> IsolatedCode:
    report = validate_manifest(said.manifest, registered_as=said.app_id)
    if report.manifest is None or report.manifest.is_remote:
        problem = report.problems[0].sentence if report.problems else "it has a baseUrl"
        raise _Broken(f"its manifest is not accepted ({problem})")
    _require_as_built(folder, said)
    return IsolatedCode(
        said.app_id,
        report.manifest,
        said.distribution,
        said.version,
        said.wheel_digest,
        folder,
        said.as_root,
    )


def _require_as_built(folder: Path, said: Environment) -> None:
    if said.python != PYTHON:
        raise _Broken(f"it was built for {said.python}, and the host runs on {PYTHON}")
    if not os.access(interpreter(folder), os.X_OK):
        raise _Broken("its interpreter is gone")
    if said.host != sys.prefix:
        raise _Broken(f"it uses the libraries of a host in {said.host}; this one is {sys.prefix}")
    wheel = wheel_of(folder)
    if digest_of(wheel) != said.wheel_digest:
        raise _Broken("the wheel that it keeps is not the one that was installed")
    other = altered(wheel, site_packages(folder))
    if other is not None:
        raise _Broken(f"its file {other} differs from the wheel")
