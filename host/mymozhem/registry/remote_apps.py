"""Remote apps as rows: register, publish, rotate keys, delete.

Each function runs inside a transaction of its caller, who checks access first and refreshes the
catalog afterwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import and_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.concurrency.costly_pool import CostlyPool
from mymozhem.contract import JsonObject
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import Conflict, Invalid
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.problems import Problem
from mymozhem.manifests.validate import validate_manifest

from . import manifest_history
from .app_keys import NewKeys, Sealer, SecretCheck, add_keys, good_at, rotate
from .manifest_history import Published, no_such_app
from .publishing_rules import judged
from .tables import AppKind, AppRow, AppSecretRow, ManifestVersionRow, SecretKind

#: checks the address of a remote app; raises a platform error
UrlCheck = Callable[[str], object]


@dataclass(frozen=True)
class Owner:
    """The owner of an app: the account if there is one, and the address for mails."""

    user_id: str | None
    email: str | None


@dataclass(frozen=True)
class Registered:
    """A newly registered remote app; its secret is never shown again."""

    app_id: str
    secret: str = field(repr=False)
    public_key: str
    manifest: Manifest
    created_at: datetime


def validate_remote_manifest(document: JsonObject, app_id: str, check_url: UrlCheck) -> Manifest:
    """Return the manifest of a remote app; raises `Invalid` with every problem, by pointer.

    `check_url` checks the address; its errors pass through.
    """
    report = validate_manifest(document, registered_as=app_id)
    problems = list(report.problems)
    if report.manifest is not None and report.manifest.base_url is None:
        hint = "add the address of the app's web service, or install the app as a package"
        problems = [Problem("/baseUrl", "BASE_URL", "a remote app has a baseUrl", hint)]
    if report.manifest is None or report.manifest.base_url is None:
        raise _invalid(problems)
    check_url(report.manifest.base_url)
    return report.manifest


async def register(
    unit: UnitOfWork, sealer: Sealer, app_id: str, manifest: Manifest, *, owner: Owner
) -> Registered:
    """Create a remote app with its first version and its keys.

    Raises `Conflict` APP_ID_TAKEN for an id that any app has or had: ids are never reused.
    """
    row = AppRow(
        app_id=app_id,
        kind=AppKind.REMOTE,
        is_active=True,
        revision=1,
        owner_id=owner.user_id,
        owner_email=owner.email,
        created_at=unit.now,
        updated_at=unit.now,
    )
    try:
        async with unit.session.begin_nested():
            unit.session.add(row)
    except IntegrityError as error:
        message = f"There is, or was, an app {app_id!r} here; take another id."
        raise Conflict(message, code="APP_ID_TAKEN", details={"appId": app_id}) from error
    manifest_history.append(unit, row, manifest)
    keys = await add_keys(unit, sealer, app_id)
    await unit.session.flush()
    return Registered(app_id, keys.secret, keys.public_key, manifest, row.created_at)


async def publish(
    unit: UnitOfWork, app_id: str, manifest: Manifest, *, consent: bool = False
) -> Published:
    """Publish another version of a remote app. Idempotent.

    Rooms stay at the version that they are locked to. Raises `NotFound`, `VersionImmutable` for a
    published version with other content, and as `publishing_rules.judge`: `VersionNotGreater`,
    `BumpTooSmall`, `ConsentRequired` if an operator has not consented to new capabilities.
    """
    row = await remote_row(unit.session, app_id)
    published = await manifest_history.versions(unit.session, app_id)
    for each in published:
        if each.manifest.version == manifest.version:
            manifest_history.require_same(each, manifest)
            return each
    await judged(app_id, [each.manifest for each in published], manifest, consent=consent)
    appended = manifest_history.append(unit, row, manifest)
    touch(unit, row)
    await unit.session.flush()
    return appended


async def dry_run_publish(
    database: Database, app_id: str, manifest: Manifest, *, consent: bool, pool: CostlyPool
) -> None:
    """Raise what `publish` would raise; call it outside of a transaction: it may take a second.

    `publish` itself detects versions that are published meanwhile.
    """
    kind = select(AppRow.kind).where(AppRow.app_id == app_id, AppRow.deleted_at.is_(None))
    async with database.read() as session:
        if await session.scalar(kind) is not AppKind.REMOTE:
            return
        published = await manifest_history.versions(session, app_id)
    if published and not any(each.manifest.version == manifest.version for each in published):
        before = [each.manifest for each in published]
        await judged(app_id, before, manifest, consent=consent, pool=pool)


async def renew_keys(
    unit: UnitOfWork, sealer: Sealer, app_id: str, *, grace: timedelta, key_pair: bool
) -> NewKeys:
    """Give a remote app a new secret, see `rotate`; raises `NotFound`."""
    row = await remote_row(unit.session, app_id)
    keys = await rotate(unit, sealer, app_id, grace=grace, key_pair=key_pair)
    touch(unit, row)
    await unit.session.flush()
    return keys


async def delete(unit: UnitOfWork, app_id: str) -> None:
    """Delete a remote app: it is no longer offered; its rooms stay readable without it.

    Raises `NotFound`, also at the second call.
    """
    row = await remote_row(unit.session, app_id)
    row.deleted_at, row.is_active = unit.now, False
    touch(unit, row)
    await unit.session.execute(
        update(AppSecretRow)
        .where(AppSecretRow.app_id == app_id, AppSecretRow.revoked_at.is_(None))
        .values(revoked_at=unit.now)
    )


async def matching_key(
    session: AsyncSession, check: SecretCheck, app_id: str, secret: str, *, now: datetime
) -> str | None:
    """Return the id of the secret that a remote app signs in with, including its grace period.

    None if the secret is wrong. The time does not depend on what is wrong.
    """
    rows = await session.scalars(
        select(AppSecretRow)
        .join(AppRow, AppRow.app_id == AppSecretRow.app_id)
        .where(
            AppSecretRow.app_id == app_id,
            AppSecretRow.kind == SecretKind.SHARED,
            AppRow.deleted_at.is_(None),
            good_at(now),
        )
        .order_by(AppSecretRow.created_at.desc())
    )
    return check.matching(secret, rows.all())


async def remote_row(session: AsyncSession, app_id: str) -> AppRow:
    """Return the row of a remote app; locks it if the session writes.

    Raises `NotFound` if there is none or it is deleted, `Conflict` APP_NOT_REMOTE for a plugin.
    """
    query = select(AppRow).where(AppRow.app_id == app_id, AppRow.deleted_at.is_(None))
    row = (await session.scalars(query.with_for_update())).one_or_none()
    if row is None:
        raise no_such_app(app_id)
    if row.kind is not AppKind.REMOTE:
        message = f"{app_id} is installed as a package; upgrade the package instead."
        raise Conflict(message, code="APP_NOT_REMOTE")
    return row


async def owner_of(session: AsyncSession, app_id: str) -> Owner:
    """Return the owner of an app; raises `NotFound` if it does not exist or is deleted."""
    query = select(AppRow.owner_id, AppRow.owner_email).where(
        AppRow.app_id == app_id, AppRow.deleted_at.is_(None)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise no_such_app(app_id)
    return Owner(*found)


async def remote_addresses(session: AsyncSession) -> Mapping[str, str]:
    """Return the addresses of remote apps, by app, from their newest manifests."""
    query = (
        select(AppRow.app_id, ManifestVersionRow.manifest)
        .join(
            ManifestVersionRow,
            and_(
                ManifestVersionRow.app_id == AppRow.app_id,
                ManifestVersionRow.version == AppRow.manifest_version,
            ),
        )
        .where(AppRow.kind == AppKind.REMOTE, AppRow.deleted_at.is_(None))
    )
    rows = (await session.execute(query)).all()
    return {app_id: str(manifest.get("baseUrl", "")) for app_id, manifest in rows}


async def forget_owner(session: AsyncSession, user_id: str) -> None:
    """Remove an erased account and its address from its apps. Idempotent."""
    gone = {"owner_id": None, "owner_email": None}
    await session.execute(update(AppRow).where(AppRow.owner_id == user_id).values(gone))


def touch(unit: UnitOfWork, row: AppRow) -> None:
    """Mark an app as changed, so that every process reads it again."""
    row.revision, row.updated_at = row.revision + 1, unit.now


def _invalid(problems: list[Problem]) -> Invalid:
    fields: dict[str, list[str]] = {}
    for each in problems:
        text = f"{each.message}; {each.hint}" if each.hint else each.message
        fields.setdefault(f"/manifest{each.pointer}", []).append(text)
    codes = [{"pointer": each.pointer, "code": each.code} for each in problems]
    message = "The manifest cannot be accepted; POST /apps/validate-manifest explains each problem."
    return Invalid(message, code="MANIFEST_INVALID", fields=fields, details={"problems": codes})
