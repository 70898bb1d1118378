"""Finds the app under test: by its id, its module, or as an object."""

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import GROUP as DEMOS
from mymozhem.contract.demo import SampleRoom
from mymozhem.contract.hooks import hooks_of
from mymozhem.contract.serving.app_functions import Function, NotServable, Plugin
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.validate import Report, validate_manifest
from mymozhem.registry.discovery import GROUP


class NotAnApp(ValueError):
    """There is no app under this name, or the object is none; the message says why."""


@dataclass(frozen=True, eq=False)
class App:
    """An app: the object with its hooks, and the id that it runs under."""

    app_id: str
    plugin: object
    functions: Mapping[str, Function]
    document: JsonObject

    @cached_property
    def report(self) -> Report:
        """What is wrong with the manifest, or the manifest."""
        return validate_manifest(self.document, registered_as=self.app_id)

    @property
    def manifest(self) -> Manifest:
        """The manifest; raises `NotAnApp` if it is not valid."""
        if self.report.manifest is None:
            raise NotAnApp(f"the manifest of {self.app_id} is not valid")
        return self.report.manifest

    def needed_hooks(self) -> dict[str, list[str]]:
        """Return the names of the hooks of each capability that the manifest declares."""
        return {each: [hook.name for hook in hooks_of(each)] for each in self.manifest.capabilities}

    @cached_property
    def samples(self) -> tuple[SampleRoom, ...]:
        """The sample rooms of the app's demo; empty if there is none."""
        points = entry_points(group=DEMOS, name=self.app_id)
        return tuple(each for point in points for each in getattr(point.load(), "SAMPLES", ()))


def find_app(app: object) -> App:
    """Return an app, given as an object, or named: an installed app's id, `module`, `module:name`.

    Raises `NotAnApp` if there is none, or if its manifest cannot be read.
    """
    app_id, plugin = _named(app) if isinstance(app, str) else (None, app)
    try:
        known = Plugin(plugin)
    except NotServable as error:
        raise NotAnApp(f"{_name(app)} is no app: {error}") from error
    said = known.manifest.get("id")
    by_module = (point.name for point in entry_points(group=GROUP) if point.value == _name(plugin))
    return App(
        app_id or (said if isinstance(said, str) else _first(by_module, "app")),
        plugin,
        known.functions,
        known.manifest,
    )


def _named(name: str) -> tuple[str | None, object]:
    installed = entry_points(group=GROUP, name=name)
    for point in installed:
        return name, point.load()
    module, _, path = name.partition(":")
    try:
        found: object = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0] and error.name != module:
            raise
        raise NotAnApp(f"there is no installed app and no module {module!r}") from error
    for part in filter(None, path.split(".")):
        if not hasattr(found, part):
            raise NotAnApp(f"{module} has no {path}")
        found = getattr(found, part)
    return None, found


def _name(app: object) -> str:
    return app if isinstance(app, str) else str(getattr(app, "__name__", type(app).__name__))


def _first(names: Iterable[str], otherwise: str) -> str:
    return next(iter(names), otherwise)
