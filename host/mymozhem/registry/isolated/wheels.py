"""Read the metadata of a wheel from the file; its code does not run."""

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from pathlib import Path

from mymozhem.registry.discovery import GROUP

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")

#: the files that pip rewrites when it installs a wheel
_WRITTEN_BY_PIP = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")

#: the data folders of a wheel that are installed next to its packages
_PACKAGES = ("purelib", "platlib")

#: the errors of reading a damaged or encrypted archive
_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)


class NotAWheel(ValueError):
    """The file is not the wheel of an app; the message continues a sentence that names the file."""


@dataclass(frozen=True)
class Wheel:
    """A wheel that contains one app.

    `digest` is the SHA-256 of the file in lower-case hex, `entry_point` the value of the app's.
    """

    path: Path
    distribution: str
    version: str
    digest: str
    app_id: str
    entry_point: str


def read_wheel(path: Path) -> Wheel:
    """Return the metadata of a wheel; raises `NotAWheel` unless it has exactly one app."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = PathDistribution(zipfile.Path(archive, f"{_info(archive)}/"))
            name, version = found.metadata["Name"], found.metadata["Version"]
            points = found.entry_points.select(group=GROUP)
    except NotAWheel:
        raise
    except _UNREADABLE as error:
        raise NotAWheel(f"it cannot be read as a wheel ({error})") from error
    if not _NAME.fullmatch(name or "") or not _VERSION.fullmatch(version or ""):
        raise NotAWheel("its metadata names no proper distribution and version")
    if len(points) != 1:
        names = ", ".join(sorted(points.names)) or "none"
        raise NotAWheel(f"a package offers one app under the group {GROUP!r}; it offers {names}")
    (point,) = points
    return Wheel(path, name, version, digest_of(path), point.name, point.value)


def normal(distribution: str) -> str:
    """Return the normalized name of a distribution, as indexes compare names."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def altered(path: Path, site: Path) -> str | None:
    """Return a file of a wheel that is missing or different in a folder; None if intact."""
    with zipfile.ZipFile(path) as archive:
        files = _unpacked(archive)
        return next((to for name, to in files if not _same(archive, name, site / to)), None)


def _info(archive: zipfile.ZipFile) -> str:
    tops = {name.partition("/")[0] for name in archive.namelist()}
    found = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(found) != 1:
        raise NotAWheel("it contains no metadata, or more than one")
    return found[0]


def _unpacked(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Return the files that an installer copies unchanged, with their installed paths."""
    for name in archive.namelist():
        top, _, rest = name.partition("/")
        kind, _, beyond = rest.partition("/")
        if name.endswith("/") or (top.endswith(".dist-info") and rest in _WRITTEN_BY_PIP):
            continue
        if not top.endswith(".data"):
            yield name, name
        elif kind in _PACKAGES:
            yield name, beyond


def _same(archive: zipfile.ZipFile, name: str, path: Path) -> bool:
    try:
        return path.read_bytes() == archive.read(name)
    except OSError:
        return False
