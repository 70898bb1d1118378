"""Finds an app's code: a project in a folder, or an installed package."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

from mymozhem.contract.byte_order_marks import text_of
from mymozhem.errors import Invalid, NotFound
from mymozhem.registry.discovery import GROUP, Discovered, by_id, discover

_PROJECT = "pyproject.toml"


@dataclass(frozen=True)
class AppSource:
    """An app and its code, which has not been imported.

    `value` is the value of its entry point; `search` is the folder on the import path, None if the
    app is installed; `project` is the folder with its pyproject.toml, None if missing.
    """

    app_id: str
    value: str
    version: str
    code: Path
    search: Path | None = None
    project: Path | None = None

    @property
    def discovered(self) -> Discovered:
        """The app as though its package were installed."""
        point = EntryPoint(self.app_id, self.value, GROUP)
        return Discovered(self.app_id, point, f"mymozhem-{self.app_id}", self.version)


def is_project(wanted: str) -> bool:
    """Return whether this is a folder with a project."""
    return (Path(wanted) / _PROJECT).is_file()


def find_source(wanted: str) -> AppSource:
    """Return the app in a folder, or the installed app of that id.

    Raises `NotFound` if there is neither, `Invalid` if the project of the folder offers no app or
    several.
    """
    if is_project(wanted):
        return _of_project(Path(wanted).resolve())
    found = by_id(discover()).get(wanted, ())
    if len(found) > 1:
        names = ", ".join(each.distribution for each in found)
        raise Invalid(f"Several packages provide {wanted!r}: {names}. Name a folder.")
    if found:
        return _of_package(found[0])
    raise NotFound(
        f"There is no app {wanted!r}: no folder with a {_PROJECT}, and no installed app of that id."
    )


def _of_project(folder: Path) -> AppSource:
    try:
        declared = tomllib.loads(text_of((folder / _PROJECT).read_bytes()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{folder / _PROJECT} is not valid TOML: {error}.") from error
    points = _points(declared)
    if len(points) != 1:
        found = f"{len(points)} apps ({', '.join(points)})" if points else "no app"
        raise Invalid(
            f'{folder / _PROJECT} offers {found}: write one line under [project.entry-points."'
            f'{GROUP}"], such as auction = "mymozhem_auction".'
        )
    ((app_id, value),) = points.items()
    search = folder / "src" if (folder / "src").is_dir() else folder
    version = _table(declared, "project").get("version")
    return AppSource(
        app_id, value, str(version or ""), _code_below(search, value), search=search, project=folder
    )


def _points(declared: dict[str, object]) -> dict[str, str]:
    points = _table(_table(_table(declared, "project"), "entry-points"), GROUP)
    return {name: value for name, value in points.items() if isinstance(value, str)}


def _table(parent: dict[str, object], name: str) -> dict[str, object]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}


def _code_below(search: Path, value: str) -> Path:
    """Return the package's folder, or the folder of a module."""
    package = search / value.partition(":")[0].partition(".")[0]
    return package if package.is_dir() else search


def _of_package(found: Discovered) -> AppSource:
    module = found.entry_point.module
    spec = find_spec(module.partition(".")[0])
    if spec is None or spec.origin is None:
        raise NotFound(f"The package of {found.app_id!r} has no module {module!r}.")
    code = Path(spec.origin).parent
    return AppSource(
        found.app_id,
        found.entry_point.value,
        found.version,
        code,
        project=_project_of(found.app_id, code.parents),
    )


def _project_of(app_id: str, folders: Iterable[Path]) -> Path | None:
    """Return the nearest folder with the project of this app, if it is installed editable."""
    for folder in folders:
        if (folder / _PROJECT).is_file():
            declared = tomllib.loads(text_of((folder / _PROJECT).read_bytes()))
            return folder if app_id in _points(declared) else None
    return None
