"""People in a room: approved, renamed, given a role, removed, imported; leaving by themselves."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from mymozhem.auth.access_table import grantable
from mymozhem.auth.accounts import create_guests
from mymozhem.auth.name_rules import name_problems, visible_name
from mymozhem.auth.principal import Principal
from mymozhem.contract import Change, ChangeKind, JsonObject, ParticipantStatus, Role
from mymozhem.contract.events import ParticipantLeft, ParticipantUpdated
from mymozhem.db.base import new_id
from mymozhem.errors import Conflict, Forbidden, Invalid
from mymozhem.rooms.core.membership import HELPERS, MEMBERS, ORGANIZERS, Seat, require_seat
from mymozhem.rooms.core.participant_lookup import require_participants
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomWriter, write_room
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.windows.on_room_change import close_answered

from .display_names import free_name, free_names
from .join import count_people, record_joined, refuse_full

#: people who are put in together, before others get their turn
AT_ONCE = 250


@dataclass(frozen=True)
class NewPerson:
    """Somebody whom an organizer puts into the room, with or without a phone."""

    name: str
    metadata: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class PersonChanges:
    """What is to change about a participant; None means: leave it."""

    name: str | None = None
    role: Role | None = None
    metadata: JsonObject | None = None


async def leave(services: Services, room_id: str, caller: Principal) -> ParticipantRow:
    """Let the caller leave; who has left already stays so. Organizers cannot leave their room."""
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        seat = await require_seat(writer.session, room_id, caller, roles=MEMBERS)
        row = seat.participant
        if row is None or row.role == Role.ORGANIZER:
            message = "Organizers cannot leave their room; end it or delete it."
            raise Conflict(message, code="ORGANIZER_STAYS")
        _go(writer, row, ParticipantStatus.LEFT)
        await close_answered(writer)
        return row


async def add_people(
    services: Services, room_id: str, caller: Principal, people: tuple[NewPerson, ...]
) -> list[ParticipantRow]:
    """Put people into a room that has not ended, all or none; for organizers.

    Conflict ROOM_FULL where they do not all fit, Invalid that points at every name that breaks the
    rules.
    """
    names = await _visible_names(people)
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        await require_seat(writer.session, room_id, caller, roles=HELPERS)
        _refuse_ended(writer)
        _refuse_crowd(writer, len(people))
        seats = list(zip(people, names, await free_names(writer, names), strict=True))
        rows: list[ParticipantRow] = []
        for start in range(0, len(seats), AT_ONCE):
            rows += await _add_some(writer, seats[start : start + AT_ONCE])
        count_people(writer, len(rows))
        writer.audit("participant.import", people=len(rows))
        return rows


async def _add_some(
    writer: RoomWriter, seats: Sequence[tuple[NewPerson, str, str]]
) -> list[ParticipantRow]:
    guests = await create_guests(writer.unit, [name for _, name, _ in seats])
    rows = [
        _row(writer, person, shown, guest.id)
        for (person, _, shown), guest in zip(seats, guests, strict=True)
    ]
    writer.session.add_all(rows)
    await writer.session.flush()
    for row in rows:
        record_joined(writer, row, counted=False)
    await writer.write_events()
    return rows


async def _visible_names(people: tuple[NewPerson, ...]) -> list[str]:
    """Return names as they are shown; Invalid says for each by its place what is wrong with it."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for place, person in enumerate(people):
        if problems := name_problems(person.name):
            found[f"/people/{place}/name"] = [problem.value for problem in problems]
        else:
            names.append(visible_name(person.name))
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
    if found:
        raise Invalid("Some names cannot be used; nobody was put in.", fields=found)
    return names


async def approve(
    services: Services, room_id: str, caller: Principal, participant_id: str
) -> ParticipantRow:
    """Let somebody in who waits, was rejected or was removed; who is in stays in."""
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        row, _ = await _find(writer, caller, participant_id)
        if row.status == ParticipantStatus.ACTIVE:
            return row
        _refuse_ended(writer)
        refuse_full(writer.room)
        row.status, row.reason, row.updated_at = ParticipantStatus.ACTIVE, None, writer.now
        record_joined(writer, row)
        writer.audit("participant.approve", subject=row.id)
        return row


async def reject(
    services: Services,
    room_id: str,
    caller: Principal,
    participant_id: str,
    reason: str | None,
) -> ParticipantRow:
    """Turn somebody away who waits; Conflict for anybody else."""
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        row, _ = await _find(writer, caller, participant_id)
        if row.status == ParticipantStatus.REJECTED:
            return row
        if row.status != ParticipantStatus.PENDING:
            message = "Only people who wait can be turned away."
            raise Conflict(message, code="NOT_PENDING")
        row.reason = reason
        _go(writer, row, ParticipantStatus.REJECTED)
        writer.audit("participant.reject", subject=row.id, reason=reason)
        return row


async def remove(
    services: Services,
    room_id: str,
    caller: Principal,
    participant_id: str,
    reason: str | None = None,
) -> ParticipantRow:
    """Send somebody away; they cannot come back unless they are approved again."""
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        row, _ = await _find(writer, caller, participant_id)
        if row.status == ParticipantStatus.REMOVED:
            return row
        row.reason = reason
        _go(writer, row, ParticipantStatus.REMOVED)
        await close_answered(writer)
        writer.audit("participant.remove", subject=row.id, reason=reason)
        return row


async def change_person(
    services: Services,
    room_id: str,
    caller: Principal,
    participant_id: str,
    changes: PersonChanges,
) -> ParticipantRow:
    """Rename somebody, give them a role, or replace their metadata.

    People may rename themselves, moderators everybody; roles and metadata are for organizers, and
    nobody grants a role above their own.
    """
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        row, seat = await _find(writer, caller, participant_id, own=True)
        changed: list[str] = []
        if changes.name is not None:
            row.display_name = await free_name(writer, visible_name(changes.name), but=row)
            changed.append("name")
        if changes.role is not None and changes.role != row.role:
            _grant(writer, seat, row, changes.role)
            changed.append("role")
            await close_answered(writer)
        if changes.metadata is not None and changes.metadata != row.data:
            _refuse_moderator(seat)
            row.data = changes.metadata
            changed.append("metadata")
        _record_changed(writer, row, changed)
        return row


def _record_changed(writer: RoomWriter, row: ParticipantRow, changed: list[str]) -> None:
    if not changed:
        return
    row.updated_at = writer.now
    writer.record(
        ParticipantUpdated(participant_id=row.id, fields=tuple(changed), status=row.status)
    )
    writer.changed(Change(kind=ChangeKind.PARTICIPANT, what="updated", participant_id=row.id))
    writer.audit("participant.change", subject=row.id, fields=changed)


def _grant(writer: RoomWriter, seat: Seat, row: ParticipantRow, role: Role) -> None:
    _refuse_moderator(seat)
    if seat.role is None or not (grantable(seat.role, role) and grantable(seat.role, row.role)):
        message = "Nobody can grant a role above their own."
        raise Forbidden(message, code="ROLE_TOO_HIGH")
    _refuse_last_organizer(writer, row, role)
    if row.status == ParticipantStatus.ACTIVE:
        step = (role == Role.PARTICIPANT) - (row.role == Role.PARTICIPANT)
        if step > 0:
            refuse_full(writer.room)
        if step:
            count_people(writer, step)
    row.role = role


def _refuse_last_organizer(writer: RoomWriter, row: ParticipantRow, role: Role) -> None:
    if row.user_id == writer.room.created_by and role != Role.ORGANIZER:
        message = "Who made the room stays its organizer."
        raise Conflict(message, code="ORGANIZER_STAYS")


def _refuse_moderator(seat: Seat) -> None:
    if seat.role not in ORGANIZERS:
        message = "Only organizers may do this."
        raise Forbidden(message)


async def _find(
    writer: RoomWriter, caller: Principal, participant_id: str, *, own: bool = False
) -> tuple[ParticipantRow, Seat]:
    """Return somebody and the caller's seat; with `own` everybody may find themselves."""
    roles = MEMBERS if own else HELPERS
    seat = await require_seat(writer.session, writer.room.id, caller, roles=roles)
    row = (await require_participants(writer, (participant_id,)))[participant_id]
    if seat.role not in HELPERS and row.id != seat.participant_id:
        raise Forbidden
    if seat.role == Role.MODERATOR and row.role in ORGANIZERS:
        message = "Moderators cannot change organizers."
        raise Forbidden(message)
    return row, seat


def _go(writer: RoomWriter, row: ParticipantRow, status: ParticipantStatus) -> None:
    if row.user_id == writer.room.created_by:
        message = "Who made the room stays its organizer."
        raise Conflict(message, code="ORGANIZER_STAYS")
    counted = row.status == ParticipantStatus.ACTIVE and row.role == Role.PARTICIPANT
    was_in = row.status == ParticipantStatus.ACTIVE
    row.status, row.updated_at = status, writer.now
    if counted:
        count_people(writer, -1)
    writer.record(ParticipantLeft(participant_id=row.id, status=status))
    if was_in:
        writer.changed(Change(kind=ChangeKind.LEFT, what="left", participant_id=row.id))


def _refuse_crowd(writer: RoomWriter, count: int) -> None:
    room = writer.room
    if room.capacity is not None and room.active_count + count > room.capacity:
        message = f"The room has {room.capacity - room.active_count} seats left, not {count}."
        raise Conflict(message, code="ROOM_FULL")


def _row(writer: RoomWriter, person: NewPerson, name: str, user_id: str) -> ParticipantRow:
    return ParticipantRow(
        id=new_id("part"),
        room_id=writer.room.id,
        user_id=user_id,
        display_name=name,
        role=Role.PARTICIPANT,
        status=ParticipantStatus.ACTIVE,
        data=person.metadata,
        own={},
        private={},
        points=0,
        joined_at=writer.now,
        updated_at=writer.now,
    )


def _refuse_ended(writer: RoomWriter) -> None:
    if writer.room.status in ENDED:
        message = "The room has ended."
        raise Conflict(message, code="ROOM_ENDED")
