"""The apps at one moment: put together whole, then never changed, so nobody sees half of it."""

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

#: a manifest with none of them was written for the first platform
_OF_OUR_FORMAT = ("manifestVersion", "contract", "id", "actions", "events", "policies")


@dataclass(frozen=True)
class Stopped:
    """That, when and why an app was stopped."""

    at: datetime
    cause: StopCause
    reason: str


@dataclass(frozen=True)
class AppFacts:
    """What the database says of an app beside its history; `keys` are good, the newest first."""

    remote: bool = False
    deleted: bool = False
    stopped: Stopped | None = None
    keys: tuple[AppKey, ...] = ()


@dataclass(frozen=True)
class CatalogApp:
    """An app with its history.

    `code` is None when none is loaded for it, `endpoints` are by version, none for a plugin;
    `isolated` are the environments that hold code of it. With none of them it is orphaned.
    """

    app_id: str
    versions: tuple[Published, ...]
    code: AppCode | None = None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    facts: AppFacts = field(default_factory=AppFacts)
    isolated: tuple[IsolatedCode, ...] = ()

    def newest(self) -> Manifest:
        """Return what a new room is locked to: the newest version that is not deprecated.

        Of those, what is served comes first, so that the room can run at once.
        """
        return max(self.versions, key=self._rank).manifest

    def serves(self, version: str) -> bool:
        """Tell whether there is code here, or an address, that answers for a version."""
        if version in self.endpoints or (self.code is not None and self.code.serves(version)):
            return True
        return self.isolated_for(version) is not None

    def isolated_for(self, version: str) -> IsolatedCode | None:
        """Return the environment whose code answers for a version; None where none does.

        Nothing else may: a plugin that is loaded and serves the version comes first. Of several
        the one of the very version is taken, else the newest.
        """
        if self.code is not None and self.code.serves(version):
            return None
        able = [each for each in self.isolated if each.serves(version)]
        return max(able, key=lambda each: _fitness(each, version), default=None)

    @property
    def offered(self) -> bool:
        """Tell whether new rooms may have it: some version is not deprecated."""
        return any(each.deprecated_at is None for each in self.versions)

    @property
    def available(self) -> bool:
        """Tell whether a room can be made with it."""
        stopped = self.facts.stopped is not None
        return self.offered and not stopped and self.serves(self.newest().version)

    def published(self, version: str) -> Published | None:
        """Return a version of the history; None for one that was never published."""
        return next((each for each in self.versions if each.manifest.version == version), None)

    def target(self, version: str) -> JsonObject | None:
        """Return what answers for a version, as a room's lock notes it; None where nothing does."""
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

    def _rank(self, each: Published) -> tuple[bool, bool, object]:
        version = each.manifest.version
        return each.deprecated_at is None, self.serves(version), as_version(version)


@dataclass(frozen=True)
class Snapshot:
    """Every app that has a history, deleted ones too, since rooms are still locked to them."""

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
        """Put the apps together from loaded and isolated code, and what the database says."""
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

    def stopped(self) -> frozenset[str]:
        """Return the ids of the apps that may not be called."""
        return frozenset(app.app_id for app in self.apps.values() if app.facts.stopped is not None)


def _app(app: CatalogApp) -> CatalogApp:
    """Return an app without code where it is deleted, and with addresses where it is remote."""
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
    """Return where a version is reached; None where its keys cannot be opened any more."""
    shared = [each.key for each in keys if isinstance(each.key, SharedKey)]
    paired = any(each.kind is SecretKind.ED25519 for each in keys)
    if manifest.base_url is None or not shared or not paired:
        return None
    return Endpoint(
        base_url=manifest.base_url.rstrip("/"),
        keys=tuple(each.key for each in keys),
        shared=shared[0],
        platform_form=not any(name in manifest.document for name in _OF_OUR_FORMAT),
    )
