"""Update and delete rooms: from DRAFT to the start, the end and the deletion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic.alias_generators import to_camel
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import (
    Change,
    ChangeKind,
    JsonObject,
    RoomStatus,
    SettingsValidationRequest,
    SettingsValidationResult,
)
from mymozhem.contract.events import RoomDeleted, RoomStatusChanged, RoomUpdated
from mymozhem.contract.hooks import VALIDATE_SETTINGS
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict
from mymozhem.rooms import timers
from mymozhem.rooms.app_calls.exchange import Exchange, PreparedCall, run_exchange
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.app_calls.pending import forget_room
from mymozhem.rooms.app_settings.update import (
    merged_settings,
    require_no_problems,
    require_not_frozen,
    store_settings,
    stored_settings,
)
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.membership import ORGANIZERS, require_role
from mymozhem.rooms.core.revision import Revision, RoomChanged, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction, room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.windows import on_room_change

from .short_code import update_short_code

#: what may follow what; nothing else
NEXT = {
    RoomStatus.DRAFT: frozenset({RoomStatus.ACTIVE, RoomStatus.CANCELLED}),
    RoomStatus.ACTIVE: frozenset({RoomStatus.COMPLETED, RoomStatus.CANCELLED}),
    RoomStatus.COMPLETED: frozenset[RoomStatus](),
    RoomStatus.CANCELLED: frozenset[RoomStatus](),
}


class StatusRefused(Conflict):
    """The room cannot change to that status from its current one."""

    default_code = "STATUS_REFUSED"


@dataclass(frozen=True)
class RoomChanges:
    """Changes of a room; None and an empty mapping leave a part unchanged.

    `fields` are columns of the room (name, description, is_public, entry_policy, capacity,
    doors_locked, locale); `settings` is a merge patch; `expected` is the version that the caller
    saw.
    """

    fields: Mapping[str, object] = field(default_factory=dict)
    settings: JsonObject | None = None
    status: RoomStatus | None = None
    expected: int | None = None


async def change_room(
    services: Services, room_id: str, caller: Principal, changes: RoomChanges
) -> RoomRow:
    """Change a room: its card, settings and status, all or none. For organizers.

    The app validates changed settings and a start. Raises StatusRefused, SettingsFrozen, Invalid
    with a problem for each field, and RoomChanged if `expected` is not the current version.
    """
    if changes.settings is None and changes.status is not RoomStatus.ACTIVE:
        return await _change_unasked(services, room_id, caller, changes)
    change = _AskedChange(services, room_id, caller, changes)
    budget = Budget(services.clock, services.settings.action_budget_ms)
    return await run_exchange(services, room_id, change, budget=budget)


async def delete_room(services: Services, room_id: str, caller: Principal) -> datetime:
    """Delete a room that is not running, and return when; its rows stay, hidden."""
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        await require_role(transaction.session, room_id, caller, roles=ORGANIZERS)
        if transaction.room.status == RoomStatus.ACTIVE:
            message = "The room is running; end it before you delete it."
            raise Conflict(message, code="ROOM_ACTIVE")
        await commands.end_draws(transaction, transaction.room.status)
        await on_room_change.end_windows(transaction, RoomStatus.CANCELLED)
        await timers.drop_all(transaction)
        await forget_room(transaction.session, room_id)
        transaction.room.deleted_at = transaction.now
        transaction.touch()
        transaction.record(RoomDeleted())
        transaction.audit("room.delete", subject=room_id)
        return transaction.now


async def _change_unasked(
    services: Services, room_id: str, caller: Principal, changes: RoomChanges
) -> RoomRow:
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        await require_role(transaction.session, room_id, caller, roles=ORGANIZERS)
        await _store(transaction, changes, settings=None)
        return transaction.room


class _AskedChange(
    Exchange[SettingsValidationRequest, SettingsValidationResult, Revision, RoomRow]
):
    """A change that the app validates: of settings, or a start."""

    hook = VALIDATE_SETTINGS

    def __init__(
        self, services: Services, room_id: str, caller: Principal, changes: RoomChanges
    ) -> None:
        self._services = services
        self._room_id = room_id
        self._caller = caller
        self._changes = changes
        self._settings: JsonObject = {}

    async def prepare(
        self, session: AsyncSession
    ) -> PreparedCall[SettingsValidationRequest, Revision]:
        """Compute the settings as they would be."""
        membership = await require_role(session, self._room_id, self._caller, roles=ORGANIZERS)
        room = membership.room
        manifest = self._services.catalog.manifest(room.app_id, room.app_manifest_version)
        _require_version(room, self._changes.expected)
        _require_status(room.status, self._changes.status)
        before = stored_settings(manifest, room)
        self._settings = merged_settings(manifest, before, self._changes.settings)
        require_not_frozen(room.status, manifest, before, self._settings)
        starts = self._changes.status is RoomStatus.ACTIVE
        return PreparedCall(
            context=await build_context(
                session,
                self._services,
                room,
                manifest,
                hook=VALIDATE_SETTINGS,
                now=self._services.clock.now(),
                membership=membership,
            ),
            request=SettingsValidationRequest(
                settings=self._settings, purpose="activate" if starts else "save"
            ),
            revision=await revision(session, room, membership),
            actor_id=self._caller.user_id,
        )

    async def current_revision(self, transaction: RoomTransaction) -> Revision:
        """Return the revision, which the caller's role belongs to."""
        membership = await require_role(
            transaction.session, self._room_id, self._caller, roles=ORGANIZERS
        )
        return await revision(transaction.session, transaction.room, membership)

    async def apply(
        self,
        transaction: RoomTransaction,
        current: Revision,
        outcome: Outcome[SettingsValidationResult],
    ) -> RoomRow:
        """Store the change that the app accepted."""
        del current
        require_no_problems(outcome)
        record_fallback(transaction, VALIDATE_SETTINGS, outcome)
        await _store(transaction, self._changes, settings=self._settings)
        return transaction.room


async def _store(
    transaction: RoomTransaction, changes: RoomChanges, *, settings: JsonObject | None
) -> None:
    _require_version(transaction.room, changes.expected)
    _require_status(transaction.room.status, changes.status)
    if settings is not None:
        store_settings(transaction, settings)
    _store_fields(transaction, changes.fields)
    if changes.status is not None and changes.status != transaction.room.status:
        await _move(transaction, changes.status)
    await update_short_code(transaction)


def _store_fields(transaction: RoomTransaction, fields: Mapping[str, object]) -> None:
    room = transaction.room
    changed = sorted(name for name, value in fields.items() if getattr(room, name) != value)
    if not changed:
        return
    capacity = fields.get("capacity")
    if isinstance(capacity, int) and capacity < room.active_count:
        message = f"{room.active_count} people are in the room already."
        raise Conflict(message, code="CAPACITY_TAKEN")
    for name in changed:
        setattr(room, name, fields[name])
    transaction.touch()
    transaction.record(RoomUpdated(fields=tuple(map(to_camel, changed))))


async def _move(transaction: RoomTransaction, status: RoomStatus) -> None:
    room, previous = transaction.room, transaction.room.status
    if status in ENDED:
        await commands.end_draws(transaction, status)
        await on_room_change.end_windows(transaction, status)
        await timers.drop_all(transaction)
        room.ended_at = transaction.now
    transaction.record(RoomStatusChanged(status=status, previous=previous))
    transaction.changed(
        Change(kind=ChangeKind.STATUS, what="changed", status=status, previous=previous)
    )
    transaction.audit("room.status", subject=room.id, status=status, previous=previous)
    room.status = status
    transaction.touch()


def _require_version(room: RoomRow, expected: int | None) -> None:
    if expected is not None and expected != room.version:
        raise RoomChanged(details={"version": room.version})


def _require_status(status: RoomStatus, wanted: RoomStatus | None) -> None:
    if wanted is None or wanted == status or wanted in NEXT[status]:
        return
    message = f"A room that is {status} cannot become {wanted}."
    raise StatusRefused(message, details={"status": status, "allowed": sorted(NEXT[status])})
