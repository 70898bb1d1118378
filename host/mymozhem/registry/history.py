"""The history of manifests: append-only, so that a room runs what it was locked to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.uow import UnitOfWork
from mymozhem.errors import Conflict
from mymozhem.manifests.model import Manifest

from .tables import AppKind, AppRow, ManifestVersionRow


class VersionImmutable(Conflict):
    """This version was published with other content; publish the change under a new version."""

    default_code = "VERSION_IMMUTABLE"


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
    """Append a manifest to the history of an app; the same content again changes nothing.

    The app's row is made when it is missing, not active. Raises `VersionImmutable` where the
    version stands with other content.
    """
    app = await _app(unit, app_id)
    query = _of(app_id).where(ManifestVersionRow.version == manifest.version)
    row = (await unit.session.execute(query)).scalar_one_or_none()
    if row is None:
        row = _append(unit, app_id, manifest)
    elif row.digest != manifest.digest:
        raise VersionImmutable(
            f"{app_id} {manifest.version} was published with other content; "
            "give the changed manifest a new version.",
            details={"appId": app_id, "version": manifest.version, "published": row.digest},
        )
    app.manifest_version = manifest.version
    app.updated_at = unit.now
    return _published(row)


async def versions(session: AsyncSession, app_id: str | None = None) -> tuple[Published, ...]:
    """Return the history of one app, or of all, in the order of publication."""
    query = _of(app_id).order_by(ManifestVersionRow.published_at, ManifestVersionRow.id)
    return tuple(_published(row) for row in (await session.execute(query)).scalars())


async def active_plugins(session: AsyncSession) -> frozenset[str]:
    """Return the ids of the plugins that the operator has enabled."""
    query = select(AppRow.app_id).where(
        AppRow.is_active, AppRow.kind == AppKind.PLUGIN, AppRow.deleted_at.is_(None)
    )
    return frozenset((await session.execute(query)).scalars())


async def set_active(unit: UnitOfWork, app_id: str, *, is_active: bool) -> bool:
    """Enable or disable a plugin, from the next start on; False when that changes nothing."""
    app = await _app(unit, app_id)
    if app.is_active is is_active:
        return False
    app.is_active, app.updated_at = is_active, unit.now
    return True


async def _app(unit: UnitOfWork, app_id: str) -> AppRow:
    """Return the row of an app, locked; made, not active, where there was none."""
    query = select(AppRow).where(AppRow.app_id == app_id).with_for_update()
    row = (await unit.session.execute(query)).scalar_one_or_none()
    if row is not None:
        return row
    times = {"created_at": unit.now, "updated_at": unit.now}
    new = AppRow(app_id=app_id, kind=AppKind.PLUGIN, is_active=False, **times)
    try:
        async with unit.session.begin_nested():
            unit.session.add(new)
    except IntegrityError:  # another process was first: its row is the one
        return (await unit.session.execute(query)).scalar_one()
    return new


def _of(app_id: str | None) -> Select[ManifestVersionRow]:
    query = select(ManifestVersionRow)
    return query if app_id is None else query.where(ManifestVersionRow.app_id == app_id)


def _append(unit: UnitOfWork, app_id: str, manifest: Manifest) -> ManifestVersionRow:
    row = ManifestVersionRow(
        app_id=app_id,
        version=manifest.version,
        manifest=manifest.document,
        digest=manifest.digest,
        published_at=unit.now,
    )
    unit.session.add(row)
    return row


def _published(row: ManifestVersionRow) -> Published:
    return Published(
        row.app_id,
        Manifest.of(row.manifest, registered_as=row.app_id),
        row.published_at,
        row.deprecated_at,
        row.reason,
        row.deadline,
    )
