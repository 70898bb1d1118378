"""An immutable snapshot of all apps: it is built as a whole, so no reader sees a partial state."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from mymozhem.contract import JsonObject
from mymozhem.contract.signing import SharedKey
from mymozhem.contract.versions import as_version
from mymozhem.manifests.model import Manifest

from .app_keys import AppKey
from .endpoint import Endpoint
from .loaded_code import AppCode, IsolatedCode
from .manifest_history import Published
from .tables import SecretKind, StopCause

Version = tuple[str, str]


@dataclass(frozen=True)
class Stopped:
    """When and why an app was stopped."""

    at: datetime
    cause: StopCause
    reason: str


@dataclass(frozen=True)
class AppFacts:
    """The database's data on an app besides its history; `keys` are valid, the newest first."""

    remote: bool = False
    deleted: bool = False
    stopped: Stopped | None = None
    keys: tuple[AppKey, ...] = ()


@dataclass(frozen=True)
class CatalogApp:
    """An app with its history.

    `code` is None if none is loaded; `endpoints` are by version, empty for a plugin; `isolated` are
    the environments with code of the app. Without any of them, the app is orphaned.
    """

    app_id: str
    versions: tuple[Published, ...]
    code: AppCode | None = None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    facts: AppFacts = field(default_factory=AppFacts)
    isolated: tuple[IsolatedCode, ...] = ()

    def newest(self) -> Manifest:
        """Return the version for new rooms: the newest stable one that is not deprecated.

        Versions that are served come first, so that the room can run immediately. A pre-release is
        returned only if nothing else can run; a caller who wants one names it.
        """
        return max(self.versions, key=self._rank).manifest

    def serves(self, version: str) -> bool:
        """Return whether there is code here, or an address, that serves a version."""
        if version in self.endpoints or (self.code is not None and self.code.serves(version)):
            return True
        return self.isolated_for(version) is not None

    def isolated_for(self, version: str) -> IsolatedCode | None:
        """Return the environment whose code serves a version; None if none does.

        A loaded plugin that serves the version takes precedence: the result is None then. Of
        several environments, the one of this exact version is chosen, else the newest.
        """
        if self.code is not None and self.code.serves(version):
            return None
        able = [each for each in self.isolated if each.serves(version)]
        return max(able, key=lambda each: _fitness(each, version), default=None)

    @property
    def offered(self) -> bool:
        """Return whether new rooms may use it: some version is not deprecated."""
        return any(each.deprecated_at is None for each in self.versions)

    @property
    def available(self) -> bool:
        """Return whether a room can be created with it."""
        stopped = self.facts.stopped is not None
        return self.offered and not stopped and self.serves(self.newest().version)

    def published(self, version: str) -> Published | None:
        """Return a version of the history; None for one that was never published."""
        return next((each for each in self.versions if each.manifest.version == version), None)

    def target(self, version: str) -> JsonObject | None:
        """Return what serves a version, as a room's lock names it; None if nothing does."""
        if version in self.endpoints:
            newest = next(key for key in self.facts.keys if key.kind is SecretKind.ED25519)
            base_url = self.endpoints[version].base_url
            return {"kind": "webhook", "baseUrl": base_url, "keyId": newest.kid}
        if self.code is not None and self.code.serves(version):
            return {
                "kind": "inprocess",
                "distribution": self.code.distribution,
                "version": self.code.distribution_version,
            }
        apart = self.isolated_for(version)
        if apart is None:
            return None
        return {
            "kind": "isolated",
            "distribution": apart.distribution,
            "version": apart.distribution_version,
            "wheelDigest": apart.wheel_digest,
        }

    def _rank(self, each: Published) -> tuple[bool, bool, bool, object]:
        version = each.manifest.version
        known = as_version(version)
        is_stable = known.prerelease is None
        return each.deprecated_at is None, self.serves(version), is_stable, known


@dataclass(frozen=True)
class Snapshot:
    """Every app that has a history, even if deleted, since rooms are still locked to it."""

    apps: Mapping[str, CatalogApp]
    manifests: Mapping[Version, Manifest]
    codes: Mapping[Version, AppCode]
    isolated: Mapping[Version, IsolatedCode] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        codes: Iterable[AppCode],
        published: Iterable[Published],
        facts: Mapping[str, AppFacts],
        isolated: Iterable[IsolatedCode] = (),
    ) -> "Snapshot":
        """Build the snapshot from loaded code, isolated code and the database's data."""
        by_id = {code.app_id: code for code in codes}
        grouped: defaultdict[str, list[Published]] = defaultdict(list)
        for each in published:
            grouped[each.app_id].append(each)
        apart: defaultdict[str, list[IsolatedCode]] = defaultdict(list)
        for environment in isolated:
            apart[environment.app_id].append(environment)
        apps = {
            app_id: _app(
                CatalogApp(
                    app_id,
                    tuple(versions),
                    by_id.get(app_id),
                    facts=facts.get(app_id, AppFacts()),
                    isolated=tuple(apart.get(app_id, ())),
                )
            )
            for app_id, versions in sorted(grouped.items())
        }
        manifests = {
            (app.app_id, each.manifest.version): each.manifest
            for app in apps.values()
            for each in app.versions
        }
        served = {
            (app_id, version): code
            for app_id, version in manifests
            if (code := apps[app_id].code) is not None and code.serves(version)
        }
        outside = {
            (app_id, version): found
            for app_id, version in manifests
            if (found := apps[app_id].isolated_for(version)) is not None
        }
        return cls(apps, manifests, served, outside)

    @cached_property
    def batch_actions(self) -> frozenset[str]:
        """The names of the actions that some version declares as `batch`."""
        return frozenset(
            name
            for manifest in self.manifests.values()
            for name, action in manifest.actions.items()
            if action.batch
        )

    @cached_property
    def callable(self) -> frozenset[Version]:
        """The versions that something serves, of apps that are not stopped."""
        return frozenset(
            (app_id, version)
            for app_id, version in self.manifests
            if self.apps[app_id].facts.stopped is None and self.apps[app_id].serves(version)
        )

    def callable_since(self, before: "Snapshot") -> frozenset[str]:
        """Return the ids of the apps of which a known version can be called, unlike before."""
        known = before.manifests.keys()
        return frozenset(
            app_id
            for app_id, version in self.callable - before.callable
            if (app_id, version) in known
        )


def _app(app: CatalogApp) -> CatalogApp:
    """Return an app: without code if it is deleted, and with addresses if it is remote."""
    facts = app.facts
    if facts.deleted:
        return replace(app, code=None, isolated=())
    if not facts.remote:
        return app
    found = ((each.manifest.version, _endpoint(each.manifest, facts.keys)) for each in app.versions)
    endpoints = {version: endpoint for version, endpoint in found if endpoint is not None}
    return replace(app, code=None, isolated=(), endpoints=endpoints)


def _fitness(code: IsolatedCode, version: str) -> tuple[bool, object]:
    return code.manifest.version == version, as_version(code.manifest.version)


def _endpoint(manifest: Manifest, keys: tuple[AppKey, ...]) -> Endpoint | None:
    """Return the endpoint of a version; None if its keys cannot be unsealed any more."""
    shared = [each.key for each in keys if isinstance(each.key, SharedKey)]
    paired = any(each.kind is SecretKind.ED25519 for each in keys)
    if manifest.base_url is None or not shared or not paired:
        return None
    return Endpoint(
        base_url=manifest.base_url.rstrip("/"),
        keys=tuple(each.key for each in keys),
        shared=shared[0],
        platform_form=manifest.platform_form,
    )
