"""Find the installed apps from package metadata alone: no plugin is imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from itertools import groupby

GROUP = "mymozhem.apps"


@dataclass(frozen=True)
class Discovered:
    """An app that an installed package offers under the name of its entry point."""

    app_id: str
    entry_point: EntryPoint
    distribution: str
    version: str


def discover() -> tuple[Discovered, ...]:
    """Return every installed app, by id; an id that two packages offer occurs twice."""
    found = (_discovered(point) for point in entry_points(group=GROUP))
    return tuple(sorted(found, key=lambda app: (app.app_id, app.distribution)))


def by_id(found: tuple[Discovered, ...]) -> Mapping[str, tuple[Discovered, ...]]:
    """Return the discovered apps under their ids; more than one under an id is a conflict."""
    return {app_id: tuple(apps) for app_id, apps in groupby(found, key=lambda app: app.app_id)}


def _discovered(point: EntryPoint) -> Discovered:
    name, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    return Discovered(point.name, point, name, version)
