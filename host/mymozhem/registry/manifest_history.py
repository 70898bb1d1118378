"""The history of manifests: append-only, so that a room runs the version that it is locked to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from mymozhem.db import json_text
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.errors import Conflict, NotFound
from mymozhem.manifests.model import Manifest

from .publishing_rules import is_later_stage, judged
from .tables import AppKind, AppRow, ManifestVersionRow

_NOTHING: Mapping[tuple[str, str], Manifest] = MappingProxyType({})


class VersionImmutable(Conflict):
    """This version was published with other content; publish the change under a new version."""

    default_code = "VERSION_IMMUTABLE"


class NotInstallable(Conflict):
    """A remote app has this id; an installed package cannot take its place."""

    default_code = "APP_ID_TAKEN"


@dataclass(frozen=True)
class Published:
    """A manifest of the history; the last three are None unless the version is deprecated."""

    app_id: str
    manifest: Manifest
    published_at: datetime
    deprecated_at: datetime | None = None
    reason: str | None = None
    deadline: datetime | None = None


async def publish(unit: UnitOfWork, app_id: str, manifest: Manifest) -> Published:
    """Append the manifest of an installed app to its history. Idempotent.

    Creates the app's row if it is missing, not active. By installing a package, the operator
    consents to its capabilities. Raises `VersionImmutable` if the version was published with other
    content, `VersionNotGreater` and `BumpTooSmall` as `publishing_rules.judge`, `NotInstallable` if
    a remote app has the id.
    """
    app = await _app(unit, app_id)
    query = _of(app_id).where(ManifestVersionRow.version == manifest.version)
    row = (await unit.session.execute(query)).scalar_one_or_none()
    if row is None:
        before = await versions(unit.session, app_id)
        await judged(app_id, [each.manifest for each in before], manifest, consent=True)
        published = append(unit, app, manifest)
        app.revision, app.updated_at = app.revision + 1, unit.now
        return published
    published = _published(row)
    require_same(published, manifest)
    if app.manifest_version != manifest.version:
        app.manifest_version, app.updated_at = manifest.version, unit.now
    return published


def append(unit: UnitOfWork, app: AppRow, manifest: Manifest) -> Published:
    """Append an unpublished version to the history of an app, whose row is locked."""
    row = ManifestVersionRow(
        app_id=app.app_id,
        version=manifest.version,
        manifest=manifest.document,
        digest=manifest.digest,
        published_at=unit.now,
    )
    unit.session.add(row)
    if app.manifest_version is None or not is_later_stage(app.manifest_version, manifest.version):
        app.manifest_version = manifest.version
    return _published(row)


def require_same(published: Published, manifest: Manifest) -> None:
    """Raise `VersionImmutable` unless a manifest equals the published one."""
    if json_text.dump(published.manifest.document) == json_text.dump(manifest.document):
        return  # at nearly every start, and a digest takes twenty times as long
    if published.manifest.digest == manifest.digest:
        return
    app_id, version = published.app_id, manifest.version
    raise VersionImmutable(
        f"{app_id} {version} was published with other content; "
        "give the changed manifest a new version.",
        details={"appId": app_id, "version": version, "published": published.manifest.digest},
    )


def no_such_app(app_id: str) -> NotFound:
    """Return the error for an app that does not exist."""
    return NotFound(f"There is no app {app_id!r} here.", code="APP_NOT_FOUND")


def no_such_version() -> NotFound:
    """Return the error for a version that was never published."""
    return NotFound("There is no such version.", code="VERSION_NOT_FOUND")


async def versions(
    session: AsyncSession,
    app_id: str | None = None,
    *,
    known: Mapping[tuple[str, str], Manifest] = _NOTHING,
) -> tuple[Published, ...]:
    """Return the history of one app, or of all, in the order of publication.

    The documents of `known` versions, by app and version, are not read again: they never change.
    """
    query = _of(app_id).order_by(ManifestVersionRow.published_at, ManifestVersionRow.id)
    if not known:
        return tuple(_published(row) for row in (await session.execute(query)).scalars())
    light = query.options(defer(ManifestVersionRow.manifest))
    rows = (await session.execute(light)).scalars().all()
    new = [row.id for row in rows if (row.app_id, row.version) not in known]
    if new:
        await session.execute(
            query.where(ManifestVersionRow.id.in_(new)).execution_options(populate_existing=True)
        )
    return tuple(_published(row, known.get((row.app_id, row.version))) for row in rows)


async def deprecate(
    unit: UnitOfWork, app_id: str, version: str, *, reason: str, deadline: datetime | None
) -> tuple[Published, bool]:
    """Stop offering a version to new rooms; return it, and whether that changed anything.

    Rooms that are locked to it keep it. A second call replaces the reason. Raises `NotFound`.
    """
    row = await _version_row(unit, app_id, version)
    said = (row.reason, row.deadline)
    if row.deprecated_at is not None and said == (reason, deadline):
        return _published(row), False
    row.deprecated_at = row.deprecated_at or unit.now
    row.reason, row.deadline = reason, deadline
    await unit.session.flush()
    return _published(row), True


async def lift_deprecation(unit: UnitOfWork, app_id: str, version: str) -> tuple[Published, bool]:
    """Offer a version again; return it, and whether that changed anything. Raises `NotFound`."""
    row = await _version_row(unit, app_id, version)
    changed = row.deprecated_at is not None
    row.deprecated_at = row.reason = row.deadline = None
    await unit.session.flush()
    return _published(row), changed


async def _version_row(unit: UnitOfWork, app_id: str, version: str) -> ManifestVersionRow:
    """Return the row of a version; its app's row is locked and marked as changed."""
    app = (
        await unit.session.scalars(
            select(AppRow)
            .where(AppRow.app_id == app_id, AppRow.deleted_at.is_(None))
            .with_for_update()
        )
    ).one_or_none()
    if app is None:
        raise no_such_app(app_id)
    query = _of(app_id).where(ManifestVersionRow.version == version)
    row = (await unit.session.scalars(query)).one_or_none()
    if row is None:
        raise no_such_version()
    app.revision, app.updated_at = app.revision + 1, unit.now
    return row


async def active_plugins(session: AsyncSession) -> frozenset[str]:
    """Return the ids of the plugins that the operator has enabled."""
    query = select(AppRow.app_id).where(
        AppRow.is_active, AppRow.kind == AppKind.PLUGIN, AppRow.deleted_at.is_(None)
    )
    return frozenset((await session.execute(query)).scalars())


async def set_active(unit: UnitOfWork, app_id: str, *, is_active: bool) -> bool:
    """Enable or disable a plugin, from the next start on; return False if that changes nothing."""
    app = await _app(unit, app_id)
    if app.is_active is is_active:
        return False
    app.is_active, app.updated_at = is_active, unit.now
    return True


async def _app(unit: UnitOfWork, app_id: str) -> AppRow:
    """Return the row of a plugin, locked; creates it, not active, if it is missing."""
    query = select(AppRow).where(AppRow.app_id == app_id).with_for_update()
    row = (await unit.session.execute(query)).scalar_one_or_none()
    if row is not None:
        return _plugin(row)
    times = {"created_at": unit.now, "updated_at": unit.now}
    new = AppRow(app_id=app_id, kind=AppKind.PLUGIN, is_active=False, revision=0, **times)
    try:
        async with unit.session.begin_nested():
            unit.session.add(new)
    except IntegrityError:  # another process was first: use its row
        return _plugin((await unit.session.execute(query)).scalar_one())
    return new


def _plugin(row: AppRow) -> AppRow:
    if row.kind is not AppKind.PLUGIN:
        raise NotInstallable(
            f"A remote app has the id {row.app_id!r}; install the package under another one."
        )
    return row


def _of(app_id: str | None) -> Select[ManifestVersionRow]:
    query = select(ManifestVersionRow)
    return query if app_id is None else query.where(ManifestVersionRow.app_id == app_id)


def _published(row: ManifestVersionRow, known: Manifest | None = None) -> Published:
    return Published(
        row.app_id,
        known or Manifest.of(row.manifest, registered_as=row.app_id),
        row.published_at,
        row.deprecated_at,
        row.reason,
        row.deadline,
    )
