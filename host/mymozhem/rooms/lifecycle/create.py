"""Create rooms: locked to a version of the app, with the secret fixed before anybody joins."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    AppRef,
    Context,
    JsonObject,
    ParticipantStatus,
    PersonKind,
    Role,
    RoomStatus,
    SettingsValidationRequest,
    SettingsValidationResult,
    fair,
)
from mymozhem.contract.canonical_json import digest
from mymozhem.contract.events import RoomStatusChanged
from mymozhem.contract.hooks import VALIDATE_SETTINGS
from mymozhem.contract.versions import as_version
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transports.base import AppTarget
from mymozhem.errors import Conflict, Forbidden, Unauthenticated
from mymozhem.manifests.model import Manifest
from mymozhem.registry.manifest_history import no_such_app, no_such_version
from mymozhem.registry.tables import AppRow
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.app_settings.update import (
    complete_settings,
    require_no_problems,
    stored_settings,
)
from mymozhem.rooms.core.join_code import new_code
from mymozhem.rooms.core.membership import ORGANIZERS, require_role
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.locks.document import lock_document
from mymozhem.rooms.prizes.manage import NewPrize, add_prize
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow
from mymozhem.rooms.tables.rooms import EntryPolicy, RoomRow, RoomStateRow
from mymozhem.rooms.upgrades.migrate import migration_path, stepped


@dataclass(frozen=True)
class NewRoom:
    """A room to be created; missing settings get the manifest's defaults.

    `version` None is the newest stable version of the app; pre-releases are asked for by name.
    """

    name: str
    app_id: str
    settings: JsonObject = field(default_factory=dict)
    description: str = ""
    locale: str = "en"
    is_public: bool = False
    entry_policy: EntryPolicy = EntryPolicy.GUESTS
    capacity: int | None = None
    continues: str | None = None
    prizes: tuple[NewPrize, ...] = ()
    version: str | None = None


@dataclass(frozen=True)
class Anchored:
    """A new secret for a room's draws, sealed, and the anchor that commits to it."""

    room_id: str
    sealed: bytes
    anchor: str


async def create_room(services: Services, caller: Principal, new: NewRoom) -> RoomRow:
    """Create a room in DRAFT, locked to a version of its app; the caller is its organizer.

    Raises Forbidden if only administrators may create rooms, NotFound for an app that is not
    offered or a version that does not exist, Conflict VERSION_DEPRECATED, and Invalid with a
    problem for each setting.
    """
    async with services.database.read() as session:
        person = await _creator(session, services, caller)
        if new.continues is not None:
            await require_role(session, new.continues, caller, roles=ORGANIZERS)
    manifest = _wanted_version(services, new)
    if services.catalog.is_stopped(new.app_id):
        message = "This app is stopped; choose another one, or ask the operator."
        raise Conflict(message, code="APP_STOPPED")
    if not services.catalog.get(new.app_id).offered:
        message = "Every version of this app is deprecated; choose another one, or ask its author."
        raise Conflict(message, code="APP_DEPRECATED")
    settings = complete_settings(manifest, new.settings)
    outcome = await _ask_app(services, new, manifest, settings)
    require_no_problems(outcome)
    anchored = await asyncio.to_thread(_anchor, services)
    async with services.database.write() as unit:
        await _require_app(unit.session, new.app_id)
        transaction = await _add_room(services, unit, new, manifest, settings, anchored, caller)
        _add_organizer(transaction, person)
        for prize in new.prizes:
            await add_prize(transaction, prize)
        transaction.record(RoomStatusChanged(status=RoomStatus.DRAFT, previous=None))
        record_fallback(transaction, VALIDATE_SETTINGS, outcome)
        transaction.audit("room.create", subject=transaction.room.id, app=new.app_id)
        await unit.session.flush()
        await transaction.finish()
        return transaction.room


def _wanted_version(services: Services, new: NewRoom) -> Manifest:
    app = services.catalog.get(new.app_id)
    if new.version is None:
        return app.newest()
    published = app.published(new.version)
    if published is None:
        raise no_such_version()
    if published.deprecated_at is not None:
        message = f"{new.app_id} {new.version} is deprecated; choose another version."
        raise Conflict(message, code="VERSION_DEPRECATED")
    return published.manifest


async def copy_room(services: Services, room_id: str, caller: Principal, name: str) -> RoomRow:
    """Create a room with the app, settings and prizes of another one, without its people.

    It gets the newest stable version of the app, or the version of the room if that is a later
    pre-release. Settings of an older version are migrated by the steps of the manifests; Invalid
    names the fields for which these do not suffice.
    """
    async with services.database.read() as session:
        room = (await require_role(session, room_id, caller, roles=ORGANIZERS)).room
        prizes = await session.scalars(
            select(PrizeRow)
            .where(PrizeRow.room_id == room_id, PrizeRow.deleted_at.is_(None))
            .order_by(PrizeRow.id)
        )
        copied = tuple(
            NewPrize(row.name, row.quantity, row.description, row.image_url, row.data)
            for row in prizes
        )
    target = _version_of_copy(services, room)
    new = NewRoom(
        name=name,
        app_id=room.app_id,
        version=target.version,
        settings=await _settings_of(services, room, target),
        description=room.description,
        locale=room.locale,
        is_public=room.is_public,
        entry_policy=room.entry_policy,
        capacity=room.capacity,
        prizes=copied,
    )
    return await create_room(services, caller, new)


def _version_of_copy(services: Services, room: RoomRow) -> Manifest:
    app = services.catalog.get(room.app_id)
    own, newest = app.published(room.app_manifest_version), app.newest()
    is_later = as_version(room.app_manifest_version) > as_version(newest.version)
    if own is not None and is_later and own.deprecated_at is None:
        return own.manifest if app.serves(room.app_manifest_version) else newest
    return newest


async def _settings_of(services: Services, room: RoomRow, target: Manifest) -> JsonObject:
    """Return the settings of a room as another version of its app has them, where steps do."""
    app = services.catalog.get(room.app_id)
    source = services.catalog.manifest(room.app_id, room.app_manifest_version)
    settings = stored_settings(source, room)
    if target.version == source.version:
        return settings
    history = tuple(each.manifest for each in app.versions)
    return await services.costly.run(partial(_migrated, source, target, history, settings))


def _migrated(
    source: Manifest, target: Manifest, history: tuple[Manifest, ...], settings: JsonObject
) -> JsonObject:
    return stepped(migration_path(source, target, history), settings)[0]


async def _creator(session: AsyncSession, services: Services, caller: Principal) -> UserRow:
    person = await session.get(UserRow, caller.user_id)
    if person is None or person.deleted_at is not None:
        raise Unauthenticated
    admins_only = services.settings.room_creation == "admins"
    if person.kind != PersonKind.REGISTERED or (admins_only and not person.is_admin):
        message = "You may not create rooms here."
        raise Forbidden(message)
    return person


async def _require_app(session: AsyncSession, app_id: str) -> None:
    """Raise if the app was deleted meanwhile; until the commit, nobody deletes it."""
    kept = select(AppRow.id).where(AppRow.app_id == app_id, AppRow.deleted_at.is_(None))
    if await session.scalar(kept.with_for_update(read=True)) is None:
        raise no_such_app(app_id)


async def _ask_app(
    services: Services, new: NewRoom, manifest: Manifest, settings: JsonObject
) -> Outcome[SettingsValidationResult]:
    context = Context(
        contract=manifest.speaks,
        call_id="",
        app=AppRef(id=new.app_id, version=manifest.version),
        now=services.clock.now(),
        deadline_ms=0,
    )
    return await services.dispatcher.call(
        VALIDATE_SETTINGS,
        app=AppTarget(new.app_id, manifest.version),
        context=context,
        request=SettingsValidationRequest(settings=settings, purpose="save"),
        budget=Budget(services.clock, services.settings.action_budget_ms),
    )


def _anchor(services: Services) -> Anchored:
    room_id = new_id("room")
    secret = fair.new_secret()
    sealed = services.keys.seal(secret, aad=room_id.encode())
    return Anchored(room_id, sealed, fair.anchor(secret).hex())


async def _add_room(
    services: Services,
    unit: UnitOfWork,
    new: NewRoom,
    manifest: Manifest,
    settings: JsonObject,
    anchored: Anchored,
    caller: Principal,
) -> RoomTransaction:
    lock = lock_document(services, new.app_id, manifest)
    lock_id = new_id("lock")
    room = RoomRow(
        id=anchored.room_id,
        name=new.name,
        description=new.description,
        code=await _free_code(unit.session),
        locale=new.locale,
        app_id=new.app_id,
        app_settings=settings,
        settings_version=1,
        app_manifest_version=manifest.version,
        lock_id=lock_id,
        status=RoomStatus.DRAFT,
        is_public=new.is_public,
        entry_policy=new.entry_policy,
        doors_locked=False,
        capacity=new.capacity,
        active_count=0,
        continues=new.continues,
        draw_secret=anchored.sealed,
        draw_anchor=anchored.anchor,
        next_link=1,
        last_seq=0,
        epoch=new_id("epoch"),
        version=1,
        created_by=caller.user_id,
        created_at=unit.now,
        updated_at=unit.now,
    )
    unit.session.add(room)
    await unit.session.flush()  # the rows below refer to it
    unit.session.add(
        RoomLockRow(
            id=lock_id,
            room_id=room.id,
            lock=lock,
            digest=digest(lock),
            reason="created",
            created_at=unit.now,
        )
    )
    unit.session.add(RoomStateRow(room_id=room.id, public={}, organizer={}, private={}, version=1))
    return RoomTransaction(
        services, unit, room, manifest=manifest, actor_id=caller.user_id, depth=0
    )


async def _free_code(session: AsyncSession) -> str:
    """Return a code that no room has; the unique constraint stands behind it."""
    while True:
        code = new_code()
        if await session.scalar(select(RoomRow.id).where(RoomRow.code == code)) is None:
            return code


def _add_organizer(transaction: RoomTransaction, person: UserRow) -> None:
    transaction.session.add(
        ParticipantRow(
            room_id=transaction.room.id,
            user_id=person.id,
            display_name=person.name,
            role=Role.ORGANIZER,
            status=ParticipantStatus.ACTIVE,
            data={},
            own={},
            private={},
            points=0,
            joined_at=transaction.now,
            updated_at=transaction.now,
        )
    )
