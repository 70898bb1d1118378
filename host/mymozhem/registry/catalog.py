"""Which apps there are, in memory: what calls and rooms ask, without a query."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from mymozhem.config import Settings
from mymozhem.contract.versions import as_version
from mymozhem.db.uow import Database
from mymozhem.errors import NotFound
from mymozhem.manifests.model import Manifest

from . import discovery, history
from .code import AppCode, Refused
from .discovery import Discovered
from .history import Published
from .loader import load

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CatalogApp:
    """An app with its history; `code` is None when none is loaded for it (then it is orphaned)."""

    app_id: str
    versions: tuple[Published, ...]
    code: AppCode | None

    def newest(self) -> Manifest:
        """Return what a new room is locked to: the newest version that is not deprecated.

        Of those, what the loaded code serves comes first, so that the room can run at once.
        """
        return max(self.versions, key=self._rank).manifest

    def _rank(self, each: Published) -> tuple[bool, bool, object]:
        version = each.manifest.version
        served = self.code is not None and self.code.serves(version)
        return each.deprecated_at is None, served, as_version(version)


class Catalog:
    """The apps of one host process; it does not change while the process runs."""

    def __init__(
        self,
        codes: Iterable[AppCode],
        published: Iterable[Published],
        refused: Iterable[Refused] = (),
    ) -> None:
        by_id = {code.app_id: code for code in codes}
        grouped: defaultdict[str, list[Published]] = defaultdict(list)
        for each in published:
            grouped[each.app_id].append(each)
        self.refused = tuple(refused)
        self._apps = {
            app_id: CatalogApp(app_id, tuple(versions), by_id.get(app_id))
            for app_id, versions in sorted(grouped.items())
        }
        self._manifests = {
            (app.app_id, each.manifest.version): each.manifest
            for app in self._apps.values()
            for each in app.versions
        }
        self._codes = {
            (app_id, version): code
            for app_id, version in self._manifests
            if (code := by_id.get(app_id)) is not None and code.serves(version)
        }

    @classmethod
    async def load(cls, database: Database, settings: Settings) -> "Catalog":
        """Load every enabled plugin, publish its manifest, and read the history.

        Enabled are the active rows of the database and `settings.enable_apps`. What cannot be
        loaded is refused, with its reasons logged; raises `Unavailable` only for the database.
        """
        async with database.read() as session:
            enabled = await history.active_plugins(session)
        found = discovery.by_id(discovery.discover())
        loaded = [
            await _enabled(database, app_id, found.get(app_id, ()))
            for app_id in sorted(enabled | set(settings.enable_apps))
        ]
        async with database.read() as session:
            published = await history.versions(session)
        return cls(
            (each for each in loaded if isinstance(each, AppCode)),
            published,
            (each for each in loaded if isinstance(each, Refused)),
        )

    def apps(self) -> tuple[CatalogApp, ...]:
        """Return every app that has a published version, by id."""
        return tuple(self._apps.values())

    def get(self, app_id: str) -> CatalogApp:
        """Return an app; raises `NotFound` where none was ever published under this id."""
        app = self._apps.get(app_id)
        if app is None:
            raise NotFound(f"There is no app {app_id!r} here.", code="APP_NOT_FOUND")
        return app

    def newest(self, app_id: str) -> Manifest:
        """Return what a new room of this app is locked to; raises `NotFound`."""
        return self.get(app_id).newest()

    def manifest(self, app_id: str, version: str) -> Manifest:
        """Return the manifest of a published version; raises `NotFound`."""
        manifest = self._manifests.get((app_id, version))
        if manifest is None:
            raise NotFound(f"There is no app {app_id!r} {version} here.", code="APP_NOT_FOUND")
        return manifest

    def code_for(self, app_id: str, version: str) -> AppCode | None:
        """Return the code that serves a published version; None when none does: it is orphaned."""
        return self._codes.get((app_id, version))


async def _enabled(
    database: Database, app_id: str, found: tuple[Discovered, ...]
) -> AppCode | Refused:
    loaded = await _loaded(app_id, found)
    if isinstance(loaded, AppCode):
        loaded = await _with_history(database, loaded)
    if isinstance(loaded, Refused):
        logger.warning("app %s is refused: %s", app_id, "; ".join(loaded.reasons))
    return loaded


async def _loaded(app_id: str, found: tuple[Discovered, ...]) -> AppCode | Refused:
    if not found:
        return Refused(app_id, ("it is enabled, and no installed package provides it",))
    if len(found) > 1:
        names = ", ".join(each.distribution for each in found)
        return Refused(app_id, (f"several packages provide it: {names}; uninstall all but one",))
    return await asyncio.to_thread(load, found[0])


async def _with_history(database: Database, code: AppCode) -> AppCode | Refused:
    try:
        async with database.write() as unit:
            await history.publish(unit, code.app_id, code.manifest)
    except history.VersionImmutable as error:
        return Refused(code.app_id, (error.message,))
    return code
