"""Wheels and projects of small packages, written by hand: no build tool, no index."""

import base64
import hashlib
import shutil
import sys
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from mymozhem.contract import hookimpl
from mymozhem.registry.discovery import GROUP
from mymozhem.registry.isolated import environments
from mymozhem.registry.isolated.wheels import read_wheel

APP = """
from mymozhem.contract import Effects, Reply, hookimpl

{head}

@hookimpl
def app_manifest():
    return {{
        "meta": {{"name": "Counter", "version": {version!r}, "description": {says}}},
        "permissions": [],
        "capabilities": ["actions"],
        "serves": {serves!r},
        "actions": {{"bump": {{"title": "Bump"}}}},
    }}

@hookimpl
def handle_action():
    return Effects.of(Reply(data={{"from": {version!r}}}))
"""


def app_source(version: str, *, head: str = "", says: str = '"Counts."', serves: str = "") -> str:
    """Return the module of an app; `head` runs on import, `says` is the manifest's description."""
    return APP.format(version=version, head=head, says=says, serves=serves or f"=={version}")


def write_app(folder: Path, version: str = "1.0.0", *, requires=(), source: str = "", **given):
    """Write the wheel of `acme-counter`, which offers the app `counter`; return its path."""
    return write_wheel(
        folder,
        "acme-counter",
        version,
        {"acme_counter.py": source or app_source(version, **given)},
        apps={"counter": "acme_counter"},
        requires=requires,
    )


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    apps: Mapping[str, str] | None = None,
    requires: Iterable[str] = (),
) -> Path:
    """Write a wheel that pip accepts, the same bytes for the same content; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata = [*lines, *(f"Requires-Dist: {each}" for each in requires)]
    points = [f"[{GROUP}]", *(f"{app_id} = {value}" for app_id, value in (apps or {}).items())]
    whole = {
        **files,
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n".join(points) + "\n",
    }
    record = [f"{path},{_hash(text)},{len(text.encode())}" for path, text in whole.items()]
    whole[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in whole.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), text)
    return wheel


def write_project(folder: Path, version: str = "1.0.0", **given: str) -> Path:
    """Write the project of `acme-counter`, which a build tool makes a wheel of; return its path."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "acme-counter"\nversion = "{version}"\n'
        f'[project.entry-points."{GROUP}"]\ncounter = "acme_counter"\n'
        '[tool.hatch.build.targets.wheel]\ninclude = ["acme_counter.py"]\n'
    )
    (folder / "acme_counter.py").write_text(app_source(version, **given))
    return folder


def app_manifest(version: str = "1.0.0", **given: str) -> dict:
    """Return the manifest of `app_source`."""
    names: dict = {}
    exec(app_source(version, **given), names)
    return names["app_manifest"]()


def lay_out(isolated_dir: Path, wheel: Path, manifest: Mapping[str, object]) -> Path:
    """Make an environment as an installation leaves it, in a moment; return its folder."""
    found = read_wheel(wheel)
    name = environments.folder_name(found.distribution, found.version, found.digest)
    folder = isolated_dir / f".{name}"
    environments.interpreter(folder).parent.mkdir(parents=True)
    environments.interpreter(folder).symlink_to(sys.executable)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(environments.site_packages(folder))
    (folder / "wheel").mkdir()
    shutil.copy(wheel, folder / "wheel")
    environments.log_folder(folder).mkdir()
    said = environments.Environment(
        app_id=found.app_id,
        distribution=found.distribution,
        version=found.version,
        wheel_digest=found.digest,
        entry_point=found.entry_point,
        manifest=dict(manifest),
        python=environments.PYTHON,
        host=sys.prefix,
        built_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    (folder / environments.DOCUMENT).write_text(said.model_dump_json(by_alias=True))
    return folder.rename(isolated_dir / name)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


class Counter:
    """The app inside the host, before it runs from a wheel."""

    @hookimpl
    def app_manifest(self):
        return app_manifest("1.0.0")

    @hookimpl
    def handle_action(self):
        return []
