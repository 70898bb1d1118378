"""Manage participants: approve, rename, change the role, remove; and leave."""

from dataclasses import dataclass

from mymozhem.auth.access_table import grantable
from mymozhem.auth.name_rules import visible_name
from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    Change,
    ChangeKind,
    JsonObject,
    ParticipantStatus,
    PersonKind,
    Role,
)
from mymozhem.contract.events import ParticipantLeft, ParticipantUpdated
from mymozhem.errors import Conflict, Forbidden, Invalid
from mymozhem.manifests import json_pointer
from mymozhem.rooms.core.membership import (
    MEMBERS,
    ORGANIZERS,
    STAFF,
    Membership,
    find_membership,
    require_role,
)
from mymozhem.rooms.core.participant_lookup import require_participants
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction, room_transaction
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.windows.on_room_change import close_answered

from .display_names import free_name
from .join import count_people, record_joined, require_capacity
from .return_codes import replace_return_code
from .tickets import with_whole_tickets

_TURNED_AWAY = (ParticipantStatus.REMOVED, ParticipantStatus.REJECTED)


@dataclass(frozen=True)
class PersonChanges:
    """Changes of a participant; None leaves a field unchanged."""

    name: str | None = None
    role: Role | None = None
    metadata: JsonObject | None = None


async def leave(services: Services, room_id: str, caller: Principal) -> ParticipantRow:
    """Let the caller leave; idempotent. Organizers cannot leave their room."""
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        membership = await require_role(transaction.session, room_id, caller, roles=MEMBERS)
        row = membership.participant
        if row is None or row.role == Role.ORGANIZER:
            message = "Organizers cannot leave their room; end it or delete it."
            raise Conflict(message, code="ORGANIZER_STAYS")
        _go(transaction, row, ParticipantStatus.LEFT)
        await close_answered(transaction)
        return row


async def approve(
    services: Services, room_id: str, caller: Principal, participant_id: str
) -> ParticipantRow:
    """Approve a person who waits, was rejected or was removed; idempotent."""
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        row, _ = await _find(transaction, caller, participant_id)
        if row.status == ParticipantStatus.ACTIVE:
            return row
        _require_not_ended(transaction)
        require_capacity(transaction.room)
        row.status, row.reason, row.updated_at = ParticipantStatus.ACTIVE, None, transaction.now
        record_joined(transaction, row)
        transaction.audit("participant.approve", subject=row.id)
        return row


async def reject(
    services: Services,
    room_id: str,
    caller: Principal,
    participant_id: str,
    reason: str | None,
) -> ParticipantRow:
    """Reject a person who waits; Conflict for anybody else."""
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        row, _ = await _find(transaction, caller, participant_id)
        if row.status == ParticipantStatus.REJECTED:
            return row
        if row.status != ParticipantStatus.PENDING:
            message = "Only people who wait can be turned away."
            raise Conflict(message, code="NOT_PENDING")
        row.reason = reason
        _go(transaction, row, ParticipantStatus.REJECTED)
        transaction.audit("participant.reject", subject=row.id, reason=reason)
        return row


async def remove_or_leave(
    services: Services, room_id: str, caller: Principal, participant_id: str, reason: str | None
) -> ParticipantRow:
    """Remove a participant, or leave if it is the caller; return their row.

    Raises `Forbidden` for another participant if the caller is not staff; see `leave` and `remove`.
    """
    async with services.database.read() as session:
        membership = await find_membership(session, room_id, caller)
    if membership.participant is not None and membership.participant.id == participant_id:
        return await leave(services, room_id, caller)
    if membership.role not in STAFF:
        raise Forbidden
    return await remove(services, room_id, caller, participant_id, reason)


async def remove(
    services: Services,
    room_id: str,
    caller: Principal,
    participant_id: str,
    reason: str | None = None,
) -> ParticipantRow:
    """Remove a participant; they can return only after an approval."""
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        row, _ = await _find(transaction, caller, participant_id)
        if row.status == ParticipantStatus.REMOVED:
            return row
        row.reason = reason
        _go(transaction, row, ParticipantStatus.REMOVED)
        await close_answered(transaction)
        transaction.audit("participant.remove", subject=row.id, reason=reason)
        return row


async def move_membership(
    services: Services, room_id: str, caller: Principal, participant_id: str
) -> str:
    """End the tokens of a guest's phone, and return a new return code for another phone.

    For staff. The return code before is not valid any more. Raises Conflict for people with an
    account, for people who were removed or rejected, and if the room has ended; Forbidden
    ROLE_TOO_HIGH for a role above the caller's own.
    """
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        row, membership = await _find(transaction, caller, participant_id)
        if membership.role is None or not grantable(membership.role, row.role):
            message = "Nobody can sign out a role above their own."
            raise Forbidden(message, code="ROLE_TOO_HIGH")
        _require_not_ended(transaction)
        person = await transaction.session.get_one(UserRow, row.user_id)
        if person.kind != PersonKind.GUEST or person.deleted_at is not None:
            message = "Only guests are moved by a code; others sign in."
            raise Conflict(message, code="NOT_A_GUEST")
        if row.status in _TURNED_AWAY:
            message = "This person was removed or rejected; approve them first."
            raise Conflict(message, code="NOT_PRESENT")
        code = replace_return_code(transaction, row)
        transaction.audit("participant.move", subject=row.id)
        return code


async def change_person(
    services: Services,
    room_id: str,
    caller: Principal,
    participant_id: str,
    changes: PersonChanges,
) -> ParticipantRow:
    """Rename a participant, change their role, or replace their metadata.

    Participants may rename themselves, moderators everybody. Roles and metadata are for organizers,
    and nobody grants a role above their own.
    """
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        row, membership = await _find(transaction, caller, participant_id, own=True)
        changed: list[str] = []
        if changes.name is not None:
            row.display_name = await free_name(transaction, visible_name(changes.name), but=row)
            changed.append("name")
        if changes.role is not None and changes.role != row.role:
            _grant(transaction, membership, row, changes.role)
            changed.append("role")
            await close_answered(transaction)
        metadata = _whole(changes.metadata)
        if metadata is not None and metadata != row.shown_metadata:
            _require_no_moderator(membership)
            row.data, row.self_metadata = metadata, None
            changed.append("metadata")
        _record_changed(transaction, row, changed)
        return row


def _whole(metadata: JsonObject | None) -> JsonObject | None:
    """Return metadata whose tickets are whole numbers; Invalid if they are not."""
    if metadata is None:
        return None
    found, problems = with_whole_tickets(metadata)
    if problems:
        at = {key: json_pointer.pointer(["metadata", key]) for key in problems}
        raise Invalid(fields={at[key]: [text] for key, text in problems.items()})
    return found


def _record_changed(transaction: RoomTransaction, row: ParticipantRow, changed: list[str]) -> None:
    if not changed:
        return
    row.updated_at = transaction.now
    transaction.record(
        ParticipantUpdated(participant_id=row.id, fields=tuple(changed), status=row.status)
    )
    transaction.changed(Change(kind=ChangeKind.PARTICIPANT, what="updated", participant_id=row.id))
    transaction.audit("participant.change", subject=row.id, fields=changed)


def _grant(
    transaction: RoomTransaction, membership: Membership, row: ParticipantRow, role: Role
) -> None:
    _require_no_moderator(membership)
    if membership.role is None or not (
        grantable(membership.role, role) and grantable(membership.role, row.role)
    ):
        message = "Nobody can grant a role above their own."
        raise Forbidden(message, code="ROLE_TOO_HIGH")
    _require_another_organizer(transaction, row, role)
    if row.status == ParticipantStatus.ACTIVE:
        step = (role == Role.PARTICIPANT) - (row.role == Role.PARTICIPANT)
        if step > 0:
            require_capacity(transaction.room)
        if step:
            count_people(transaction, step)
    row.role = role


def _require_another_organizer(
    transaction: RoomTransaction, row: ParticipantRow, role: Role
) -> None:
    if row.user_id == transaction.room.created_by and role != Role.ORGANIZER:
        message = "Who made the room stays its organizer."
        raise Conflict(message, code="ORGANIZER_STAYS")


def _require_no_moderator(membership: Membership) -> None:
    if membership.role not in ORGANIZERS:
        message = "Only organizers may do this."
        raise Forbidden(message)


async def _find(
    transaction: RoomTransaction, caller: Principal, participant_id: str, *, own: bool = False
) -> tuple[ParticipantRow, Membership]:
    """Return a participant and the caller's membership; with `own`, also for themselves."""
    roles = MEMBERS if own else STAFF
    membership = await require_role(transaction.session, transaction.room.id, caller, roles=roles)
    row = (await require_participants(transaction, (participant_id,)))[participant_id]
    if membership.role not in STAFF and row.id != membership.participant_id:
        raise Forbidden
    if membership.role == Role.MODERATOR and row.role in ORGANIZERS:
        message = "Moderators cannot change organizers."
        raise Forbidden(message)
    return row, membership


def _go(transaction: RoomTransaction, row: ParticipantRow, status: ParticipantStatus) -> None:
    if row.user_id == transaction.room.created_by:
        message = "Who made the room stays its organizer."
        raise Conflict(message, code="ORGANIZER_STAYS")
    counted = row.status == ParticipantStatus.ACTIVE and row.role == Role.PARTICIPANT
    was_in = row.status == ParticipantStatus.ACTIVE
    row.status, row.updated_at = status, transaction.now
    if counted:
        count_people(transaction, -1)
    transaction.record(ParticipantLeft(participant_id=row.id, status=status))
    if was_in:
        transaction.changed(Change(kind=ChangeKind.LEFT, what="left", participant_id=row.id))


def _require_not_ended(transaction: RoomTransaction) -> None:
    if transaction.room.status in ENDED:
        message = "The room has ended."
        raise Conflict(message, code="ROOM_ENDED")
