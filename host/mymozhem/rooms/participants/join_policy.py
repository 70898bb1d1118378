"""The join policy: who may join, and the errors for everybody else."""

from typing import TypeGuard

from mymozhem.contract import ParticipantStatus, PersonKind, RegistrationResult, RoomStatus
from mymozhem.errors import Conflict, Forbidden, Gone
from mymozhem.rooms.core.transaction import ENDED
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import EntryPolicy, RoomRow


def is_active(row: ParticipantRow | None) -> TypeGuard[ParticipantRow]:
    """Return whether this is the row of an active participant."""
    return row is not None and row.status == ParticipantStatus.ACTIVE


def require_not_banned(row: ParticipantRow | None) -> None:
    """Raise if an organizer removed or rejected this person."""
    if row is not None and row.status == ParticipantStatus.REMOVED:
        message = "You were removed from this room."
        raise Forbidden(message, code="REMOVED")
    if row is not None and row.status == ParticipantStatus.REJECTED:
        message = row.reason or "You were not let in."
        raise Forbidden(message, code="REGISTRATION_REJECTED")


def require_open(room: RoomRow, kind: PersonKind) -> None:
    """Raise if the room is closed to this kind of person, and say how."""
    if room.status == RoomStatus.DRAFT:
        message = "The room is not open yet."
        raise Conflict(message, code="ROOM_NOT_OPEN")
    if room.status in ENDED:
        message = "The event is over."
        raise Gone(message, code="ROOM_OVER")
    if room.doors_locked:
        message = "The doors are locked."
        raise Conflict(message, code="ROOM_LOCKED")
    if room.entry_policy == EntryPolicy.REGISTERED and kind is PersonKind.GUEST:
        message = "This room is for people with an account; sign in first."
        raise Forbidden(message, code="ACCOUNT_REQUIRED")
    require_capacity(room)


def require_capacity(room: RoomRow) -> None:
    """Raise if the room is full."""
    if room.capacity is not None and room.active_count >= room.capacity:
        message = "The room is full."
        raise Conflict(message, code="ROOM_FULL")


def require_accepted(room: RoomRow, result: RegistrationResult) -> None:
    """Raise if the app rejects the person or has no place left."""
    taken = result.seats is not None and room.active_count >= result.seats
    if result.decision == "reject" or (result.decision == "accept" and taken):
        message = result.reason or "You were not let in."
        raise Forbidden(message, code="REGISTRATION_REJECTED")
