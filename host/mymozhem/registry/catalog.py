"""The catalog of apps in memory: calls and rooms read it without a query."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from mymozhem.config import Settings
from mymozhem.contract import JsonObject
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict, NotFound
from mymozhem.manifests.model import Manifest

from . import discovery, manifest_history
from .app_keys import Sealer
from .catalog_source import Source
from .discovery import Discovered
from .endpoint import Endpoint
from .isolated.catalog import IsolatedCatalog
from .isolated.environments import Environments
from .loaded_code import AppCode, IsolatedCode, Refused
from .loader import load_installed
from .manifest_history import Published, no_such_app
from .snapshot import CatalogApp, Snapshot

logger = logging.getLogger(__name__)


class Catalog:
    """The apps of one host process: plugins are loaded at the start, other apps are followed.

    The catalog follows the database and the folder of isolated code. It answers from an immutable
    snapshot, and `refresh` replaces the whole snapshot. A catalog without a source never changes.
    """

    def __init__(
        self,
        codes: Iterable[AppCode],
        published: Iterable[Published],
        refused: Iterable[Refused] = (),
        isolated: Iterable[IsolatedCode] = (),
    ) -> None:
        self._refused = tuple(refused)
        self._codes = tuple(codes)
        self._isolated = tuple(isolated)
        self._now = Snapshot.of(self._codes, published, {}, self._isolated)
        self._source: Source | None = None
        self._apart: IsolatedCatalog | None = None
        self._stamp = 0
        self._until: datetime | None = None
        self._turn = asyncio.Lock()
        self._back: list[Callable[[str], None]] = []
        self._refreshed: list[Callable[[], None]] = []

    @classmethod
    async def load(cls, database: Database, settings: Settings, sealer: Sealer) -> "Catalog":
        """Load every enabled plugin, publish its manifest, and read all other apps.

        The active rows of the database and `settings.enable_apps` enable plugins; isolated code was
        installed by the operator and needs no more. Code that cannot be loaded is refused, and the
        reasons are logged; raises `Unavailable` only for the database.
        """
        async with database.read() as session:
            enabled = await manifest_history.active_plugins(session)
        found = discovery.by_id(discovery.discover())
        loaded = [
            await _enabled(database, app_id, found.get(app_id, ()))
            for app_id in sorted(enabled | set(settings.enable_apps))
        ]
        catalog = cls(
            (each for each in loaded if isinstance(each, AppCode)),
            (),
            (each for each in loaded if isinstance(each, Refused)),
        )
        apart = IsolatedCatalog(database, Environments(settings.isolated_dir))
        await catalog.follow(Source(database, sealer), apart)
        return catalog

    async def follow(self, source: Source, apart: IsolatedCatalog | None = None) -> None:
        """Read from a source, and from isolated code if given, now and at each refresh."""
        self._source, self._apart = source, apart
        await self.refresh()

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The plugins and the environments that may not run, with the reasons."""
        return (
            self._refused if self._apart is None else self._refused + self._apart.installed.refused
        )

    def when_back(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the id of each app of which more can be called than before.

        The app was stopped and is started again, or something serves a version that nothing
        served: an environment that has become ready, for example. It is called once this process
        knows it, whichever process made the change; it must not raise.
        """
        self._back.append(callback)

    def when_refreshed(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each change of the snapshot; it must not raise."""
        self._refreshed.append(callback)

    async def refresh(self) -> None:
        """Read everything again except plugins, so that changes of this process are visible.

        Raises `Unavailable` if the database is; the snapshot stays as it is then.
        """
        if self._source is None:
            return
        async with self._turn:  # or an older read could replace a newer one
            if self._apart is not None:  # first, since it may publish
                await self._apart.refresh()
                self._isolated = self._apart.installed.codes
            said, before = await self._source.read(self._now.manifests), self._now
            self._now = Snapshot.of(self._codes, said.published, said.facts, self._isolated)
            self._stamp, self._until = said.stamp, said.until
            back = self._now.callable_since(before)
        for app_id in sorted(back):
            for callback in self._back:
                callback(app_id)
        for on_refresh in self._refreshed:
            on_refresh()

    async def refresh_if_news(self) -> bool:
        """Refresh if any process has changed something; return whether it had."""
        if not await self._is_news():
            return False
        await self.refresh()
        return True

    async def _is_news(self) -> bool:
        if self._source is None:
            return False
        if self._apart is not None and await self._apart.is_news():
            return True
        return await self._source.is_news(self._stamp, self._until)

    def apps(self) -> tuple[CatalogApp, ...]:
        """Return every app that has a published version and is not deleted, by id."""
        return tuple(app for app in self._now.apps.values() if not app.facts.deleted)

    def get(self, app_id: str) -> CatalogApp:
        """Return an app; raises `NotFound` if it does not exist or is deleted."""
        app = self._now.apps.get(app_id)
        if app is None or app.facts.deleted:
            raise no_such_app(app_id)
        return app

    def newest(self, app_id: str) -> Manifest:
        """Return the version that a new room of this app is locked to; raises `NotFound`."""
        return self.get(app_id).newest()

    def manifest(self, app_id: str, version: str) -> Manifest:
        """Return the manifest of a published version, even of a deleted app; raises `NotFound`."""
        manifest = self._now.manifests.get((app_id, version))
        if manifest is None:
            raise NotFound(f"There is no app {app_id!r} {version} here.", code="APP_NOT_FOUND")
        return manifest

    def code_for(self, app_id: str, version: str) -> AppCode | None:
        """Return the loaded code that serves a published version; None if there is none."""
        return self._now.codes.get((app_id, version))

    def endpoint(self, app_id: str, version: str) -> Endpoint | None:
        """Return the endpoint of a published version of a remote app; None for plugins."""
        app = self._now.apps.get(app_id)
        return None if app is None else app.endpoints.get(version)

    def isolated_for(self, app_id: str, version: str) -> IsolatedCode | None:
        """Return the environment that serves a published version if nothing else does."""
        return self._now.isolated.get((app_id, version))

    def target(self, app_id: str, version: str) -> JsonObject | None:
        """Return what serves a version, as a lock names it; None if it is orphaned."""
        app = self._now.apps.get(app_id)
        return None if app is None else app.target(version)

    def is_served(self, app_id: str, version: str) -> bool:
        """Return whether anything serves a published version; if not, it is orphaned."""
        app = self._now.apps.get(app_id)
        return app is not None and app.serves(version)

    def calls_over_http(self) -> bool:
        """Return whether some app is called over HTTP: a remote one, or isolated code."""
        remote = any(app.endpoints for app in self._now.apps.values())
        return remote or bool(self._now.isolated)

    def batch_actions(self) -> frozenset[str]:
        """Return the names of the actions that any version of any app declares as `batch`."""
        return self._now.batch_actions

    def has_key(self, app_id: str, key_id: str) -> bool:
        """Return whether a key of a remote app is valid, including its grace period."""
        app = self._now.apps.get(app_id)
        return app is not None and any(each.kid == key_id for each in app.facts.keys)

    def is_stopped(self, app_id: str) -> bool:
        """Return whether an app may not be called: it was stopped, or said that it is gone."""
        app = self._now.apps.get(app_id)
        return app is not None and app.facts.stopped is not None


async def _enabled(
    database: Database, app_id: str, found: tuple[Discovered, ...]
) -> AppCode | Refused:
    loaded = await asyncio.to_thread(load_installed, app_id, found)
    if isinstance(loaded, AppCode):
        loaded = await _with_history(database, loaded)
    if isinstance(loaded, Refused):
        logger.warning("app %s is refused: %s", app_id, "; ".join(loaded.reasons))
    return loaded


async def _with_history(database: Database, code: AppCode) -> AppCode | Refused:
    try:
        async with database.write(turn=code.app_id) as unit:
            await manifest_history.publish(unit, code.app_id, code.manifest)
    except Conflict as error:
        return Refused(code.app_id, (error.message,))
    return code
