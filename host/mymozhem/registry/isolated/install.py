"""Install isolated code: a wheel into its own environment, visible only once it is complete.

One installation at a time per data folder, across processes. An installation removes what an
earlier, killed one left behind.
"""

import fcntl
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from mymozhem.config import Settings
from mymozhem.errors import NotFound
from mymozhem.manifests.validate import validate_manifest
from mymozhem.registry.loaded_code import IsolatedCode, Refused

from . import build
from .environments import (
    DOCUMENT,
    PYTHON,
    Environment,
    folder_name,
    folders,
    interpreter,
    log_folder,
    read,
    wheel_of,
)
from .os_user import NoSeparateUser, NotTried, OsUser, os_user_for
from .subprocesses import InstallFailed
from .wheels import NotAWheel, Wheel, digest_of, normal, read_wheel

__all__ = ["InstallFailed", "NoSeparateUser", "Pinned", "install", "remove", "there"]

TURN_SECONDS = 600.0

_PINNED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*")
_SCRATCH = ".building-"
_GONE = ".removed-"
_PROJECT_FILES = ("pyproject.toml", "setup.py")


@dataclass(frozen=True)
class Pinned:
    """One version of one distribution."""

    distribution: str
    version: str

    @classmethod
    def parse(cls, text: str) -> "Pinned | None":
        """Read `NAME==VERSION`; None if the text has another form."""
        found = _PINNED.fullmatch(text)
        return None if found is None else cls(normal(found[1]), found[2])

    @property
    def stem(self) -> str:
        """Return the prefix of the folder names of this version."""
        return folder_name(self.distribution, self.version, "").removesuffix("-")

    def __str__(self) -> str:
        return f"{self.distribution}=={self.version}"


def install(
    requirement: str, settings: Settings, *, wait: float = TURN_SECONDS, as_root: bool = False
) -> IsolatedCode:
    """Install the code of an app in its own environment, and return it.

    The requirement is `NAME==VERSION`, which pip gets from its configured index; or the path of a
    wheel; or that of a project's folder, which is built. An existing environment is returned as it
    is; a broken one is built again, from its stored wheel if that is intact. Waits for other
    installations, at most `wait` seconds, and takes seconds itself: call it in a thread.

    Code of the app, which builds and describes it, runs as an unprivileged user. Without one, root
    raises `NoSeparateUser`, unless `as_root` allows the app to run as root from now on. Raises
    `InstallFailed`.
    """
    order = _Order(requirement, settings, as_root)
    try:
        order.user(Path(sys.executable))  # before anything is built
        _create_folder(settings.isolated_dir)
        with _turn(settings.isolated_dir, wait), _scratch(settings.isolated_dir) as scratch:
            return _installed(order, scratch)
    except NotTried as error:
        raise InstallFailed(f"{requirement} could not be installed: {error}.") from error
    except OSError as error:
        raise InstallFailed(f"{requirement} could not be installed: {error}.") from error


def remove(pinned: Pinned, settings: Settings) -> tuple[str, ...]:
    """Remove the environments of one version, broken ones too; return the names of their folders.

    The caller stops workers that run them. Raises `NotFound` if there is none, `InstallFailed` if
    the system does not allow the removal.
    """
    try:
        if not there(pinned, settings):
            raise NotFound(f"There is no environment of {pinned}.", code="APP_NOT_FOUND")
        with _turn(settings.isolated_dir, TURN_SECONDS):
            found = there(pinned, settings)
            for folder in found:
                _discard(folder)
    except OSError as error:
        raise InstallFailed(f"{pinned} could not be removed: {error}.") from error
    return tuple(folder.name for folder in found)


def there(pinned: Pinned, settings: Settings) -> tuple[Path, ...]:
    """Return the folders of the environments of one version, intact or broken."""
    return tuple(
        each
        for each in folders(settings.isolated_dir)
        if each.name.rpartition("-")[0] == pinned.stem
    )


@dataclass(frozen=True)
class _Order:
    """What to install, and with which settings."""

    requirement: str
    settings: Settings
    as_root: bool

    def user(self, python: Path) -> OsUser:
        """Return the user that runs code of the app with an interpreter."""
        settings = self.settings
        return os_user_for(settings.isolated_user, python, settings.data_dir, as_root=self.as_root)


def _create_folder(isolated_dir: Path) -> None:
    """Create the folder of environments; the user that runs them may enter it."""
    if isolated_dir.exists():
        return
    try:
        isolated_dir.mkdir(parents=True)
        isolated_dir.chmod(0o755)
    except OSError as error:
        raise InstallFailed(
            f"The folder of environments cannot be created: {error}. Set MYMOZHEM_ENVIRONMENTS_DIR "
            "to a folder that the host can write and that the user of isolated apps can enter."
        ) from error


def _installed(order: _Order, scratch: Path) -> IsolatedCode:
    settings, pinned = order.settings, Pinned.parse(order.requirement)
    if pinned is None:
        return _install(_brought(order, scratch), order, scratch)
    standing = _here(pinned, settings)
    if standing is not None:
        return _allowed(standing, order)
    wheel = _kept(pinned, settings, scratch) or _fetched(pinned, order, scratch)
    return _install(wheel, order, scratch)


def _here(pinned: Pinned, settings: Settings) -> IsolatedCode | None:
    read_ones = map(read, there(pinned, settings))
    return next((each for each in read_ones if isinstance(each, IsolatedCode)), None)


def _kept(pinned: Pinned, settings: Settings, scratch: Path) -> Path | None:
    """Return a copy of the wheel of a broken environment, if the wheel is intact."""
    for folder in there(pinned, settings):
        try:
            wheel = wheel_of(folder)
        except FileNotFoundError:
            continue
        if folder.name == f"{pinned.stem}-{digest_of(wheel)[:12]}":
            return _copied(wheel, scratch)
    return None


def _fetched(pinned: Pinned, order: _Order, scratch: Path) -> Path:
    return build.fetch(str(pinned), _wheels(scratch), order.user(Path(sys.executable)))


def _brought(order: _Order, scratch: Path) -> Path:
    """Return the wheel at a path, copied or built into the working folder."""
    path = Path(order.requirement).expanduser()
    if path.suffix == ".whl" and path.is_file():
        return _copied(path, scratch)
    if order.requirement and any((path / name).is_file() for name in _PROJECT_FILES):
        user = order.user(Path(sys.executable))
        return build.fetch_project(path.resolve(), _wheels(scratch), user)
    raise InstallFailed(
        f"{order.requirement!r} is neither a version, nor a wheel, nor a folder with a project. "
        "Write one version as 'acme-auction==1.2.0', or the path of a .whl file or a folder."
    )


def _copied(path: Path, scratch: Path) -> Path:
    return Path(shutil.copyfile(path, _wheels(scratch) / path.name))


def _wheels(scratch: Path) -> Path:
    folder = scratch / "wheel"
    folder.mkdir()
    return folder


def _install(path: Path, order: _Order, scratch: Path) -> IsolatedCode:
    wheel, settings = _read(path), order.settings
    pinned = Pinned(normal(wheel.distribution), wheel.version)
    standing = _here(pinned, settings)
    if standing is not None:
        return _allowed(_same(standing, wheel), order)
    build.build(wheel, scratch, order.user(Path(sys.executable)))
    document = _described(wheel, scratch, order)
    for broken in there(pinned, settings):
        _discard(broken)
    folder = settings.isolated_dir / folder_name(wheel.distribution, wheel.version, wheel.digest)
    _finish(scratch, document, folder)
    code = read(folder)
    if isinstance(code, Refused):
        _discard(folder)
        name = f"{wheel.distribution} {wheel.version}"
        raise InstallFailed(
            f"{name} cannot be installed. It changes its own environment when it is asked for its "
            f"manifest: {'; '.join(code.reasons)}"
        )
    return code


def _read(path: Path) -> Wheel:
    try:
        return read_wheel(path)
    except NotAWheel as error:
        raise InstallFailed(f"{path.name} cannot be installed: {error}.") from error


def _same(standing: IsolatedCode, wheel: Wheel) -> IsolatedCode:
    """Return the existing environment; raises if the wheel has other content."""
    if standing.wheel_digest == wheel.digest:
        return standing
    name = f"{wheel.distribution}=={wheel.version}"
    raise InstallFailed(
        f"{name} is installed with other content, and rooms may be locked to it. Give the changed "
        f"code a new version, or type `mymozhem apps remove '{name}' --isolated` first."
    )


def _allowed(standing: IsolatedCode, order: _Order) -> IsolatedCode:
    """Return an existing environment; from now on it may run as root, if the order allows that."""
    if standing.as_root or not order.as_root:
        return standing
    file = standing.folder / DOCUMENT
    said = Environment.model_validate_json(file.read_bytes())
    new = file.with_name(f"{DOCUMENT}.new")
    new.write_text(_text(said.model_copy(update={"as_root": True})), encoding="utf-8")
    new.chmod(0o644)
    new.replace(file)
    return replace(standing, as_root=True)


def _text(document: Environment) -> str:
    return f"{document.model_dump_json(by_alias=True, indent=2)}\n"


def _described(wheel: Wheel, scratch: Path, order: _Order) -> Environment:
    _open_to_readers(scratch / "venv")
    user = order.user(interpreter(scratch))
    document = build.describe(wheel, scratch, order.settings, user)
    report = validate_manifest(document, registered_as=wheel.app_id)
    if report.manifest is None:
        raise InstallFailed(f"Its manifest is not accepted: {report.problems[0].sentence}.")
    return Environment(
        app_id=wheel.app_id,
        distribution=wheel.distribution,
        version=wheel.version,
        wheel_digest=wheel.digest,
        entry_point=wheel.entry_point,
        manifest=document,
        python=PYTHON,
        host=sys.prefix,
        built_at=datetime.now(UTC),
        as_root=order.as_root,
    )


def _finish(scratch: Path, document: Environment, folder: Path) -> None:
    """Turn what was built into an environment, atomically."""
    shutil.rmtree(scratch / "tmp")
    shutil.rmtree(scratch / "build", ignore_errors=True)
    log_folder(scratch).mkdir()
    (scratch / DOCUMENT).write_text(_text(document), encoding="utf-8")
    _open_to_readers(scratch)
    scratch.rename(folder)


def _open_to_readers(folder: Path) -> None:
    """Let the user of workers read a folder of ours, and everything in it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def _discard(folder: Path) -> None:
    """Rename a folder, so that it disappears atomically, then delete it."""
    gone = Path(tempfile.mkdtemp(prefix=_GONE, dir=folder.parent))
    folder.rename(gone / folder.name)
    shutil.rmtree(gone, ignore_errors=True)  # the next installation deletes the rest


@contextmanager
def _scratch(isolated_dir: Path) -> Iterator[Path]:
    """Create a folder to build in, and delete it unless it has become an environment."""
    for left in isolated_dir.iterdir():
        if left.name.startswith((_SCRATCH, _GONE)):
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=isolated_dir))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _turn(isolated_dir: Path, seconds: float) -> Iterator[None]:
    """Hold the lock on the environments; the kernel releases the lock of a killed process."""
    until = time.monotonic() + seconds
    descriptor = os.open(isolated_dir / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _locked(descriptor):
            if time.monotonic() >= until:
                raise InstallFailed("Another installation has not ended; try again later.")
            time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
