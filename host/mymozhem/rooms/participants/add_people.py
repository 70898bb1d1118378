"""Add many people to a room: accepted as a whole, and then written part by part.

One transaction decides: it checks everything, counts the people, adds the first of them and stores
the others. After that, nothing can refuse them. Each further part is a short transaction of its
own, so that other writers get their turn in between. If the process dies half-way, the job adds the
rest: they are all added, or nobody is.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, insert
from sqlalchemy.orm import InstrumentedAttribute

from mymozhem.auth.accounts import add_guests
from mymozhem.auth.name_rules import name_problems, visible_name
from mymozhem.auth.principal import Principal
from mymozhem.contract import JsonObject, ParticipantStatus, Role
from mymozhem.db.base import new_id
from mymozhem.errors import Conflict, Invalid, NotFound, Unavailable
from mymozhem.manifests import json_pointer
from mymozhem.rooms.core.membership import STAFF, require_role, room_not_found
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction, room_transaction
from mymozhem.rooms.tables.imports import PeopleImportRow
from mymozhem.rooms.tables.participants import ParticipantRow

from .admit import count_people, record_joined
from .display_names import names_in_the_way
from .tickets import with_whole_tickets

#: people in one transaction; other writers get their turn after each
AT_ONCE = 50

#: seconds that an import rests after a part, at most; it rests for as long as the part took
LONGEST_REST = 0.1

#: how long the request that brought the people has them to itself
LEASE = timedelta(seconds=30)

_COLUMNS: tuple[InstrumentedAttribute[object], ...] = tuple(
    column.class_attribute for column in ParticipantRow.__mapper__.column_attrs
)


class ImportContinues(Unavailable):
    """The import is accepted, and the host completes it later; do not send it again."""

    default_code = "IMPORT_CONTINUES"


@dataclass(frozen=True)
class NewPerson:
    """A person whom an organizer adds to the room, with or without a phone.

    `pointer` says where in the request the person is; None for the place in the list.
    """

    name: str
    metadata: JsonObject = field(default_factory=dict)
    pointer: str | None = None


@dataclass(frozen=True)
class Seat:
    """A person of an accepted import, under the id that they get in the room."""

    participant_id: str
    name: str
    metadata: JsonObject


async def add_people(
    services: Services, room_id: str, caller: Principal, people: tuple[NewPerson, ...]
) -> list[str]:
    """Add people to a room that has not ended, all or none; for organizers.

    Returns their ids in the room, once everybody is added. Raises Conflict ROOM_FULL if they do not
    all fit, Invalid with a pointer to every name that breaks the rules and to tickets that are no
    whole number, and ImportContinues if the database failed after the import was accepted.
    """
    seats = await _checked(people)
    parts = await accept_people(services, room_id, caller, seats)
    process = partial(_add_parts, services, room_id)
    waiting = [services.imports.put(room_id, part, process) for part in parts]
    done = await asyncio.gather(*map(asyncio.shield, waiting), return_exceptions=True)
    for error in done:
        if isinstance(error, Unavailable):
            raise ImportContinues from error
        if isinstance(error, BaseException):
            raise error
    return [seat.participant_id for seat in seats]


async def accept_people(
    services: Services, room_id: str, caller: Principal, seats: Sequence[Seat]
) -> list[str]:
    """Decide on an import, and add its first part; return the ids of the parts that are left.

    Raises what `add_people` raises; then nobody is added.
    """
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        await require_role(transaction.session, room_id, caller, roles=STAFF)
        _require_not_ended(transaction)
        _check_count(transaction, len(seats))
        count_people(transaction, len(seats))  # their places are taken from now on
        transaction.audit("participant.import", people=len(seats))
        await _write(transaction, seats[:AT_ONCE])
        return await _store(transaction, seats[AT_ONCE:])


async def add_part(services: Services, room_id: str, part_id: str) -> None:
    """Add the people of one part; do nothing if they were added. Idempotent."""
    try:
        async with room_transaction(services, room_id) as transaction:
            part = (
                await transaction.session.execute(
                    delete(PeopleImportRow)
                    .where(PeopleImportRow.id == part_id)
                    .returning(PeopleImportRow.people, PeopleImportRow.actor_id)
                )
            ).one_or_none()
            if part is None:
                return
            transaction.actor_id = part.actor_id
            await _write(transaction, [Seat(*each) for each in part.people])
    except NotFound as gone:
        if gone.code == room_not_found().code:
            await _drop(services, room_id)
        raise


async def _add_parts(
    services: Services, room_id: str, parts: Sequence[str]
) -> dict[str, Exception | None]:
    """Add parts one after the other, with a rest after each: an import is in no hurry.

    The error of one part is no other's.
    """
    found: dict[str, Exception | None] = {}
    for part in parts:
        began = services.clock.monotonic()
        try:
            await add_part(services, room_id, part)
        except Exception as error:  # noqa: BLE001  raised to the caller who waits for it
            found[part] = error
        else:
            found[part] = None
        await asyncio.sleep(min(services.clock.monotonic() - began, LONGEST_REST))
    return found


async def _drop(services: Services, room_id: str) -> None:
    """Forget who waits to be added to a deleted room."""
    async with services.database.write(turn=room_id) as unit:
        await unit.session.execute(
            delete(PeopleImportRow).where(PeopleImportRow.room_id == room_id)
        )


async def _store(transaction: RoomTransaction, seats: Sequence[Seat]) -> list[str]:
    token = new_id("lease")
    rows = [
        {
            "id": new_id("import"),
            "room_id": transaction.room.id,
            "people": [
                [seat.participant_id, seat.name, seat.metadata]
                for seat in seats[start : start + AT_ONCE]
            ],
            "actor_id": transaction.actor_id,
            "due_at": transaction.now,
            "lease": token,
            "lease_until": transaction.now + LEASE,
        }
        for start in range(0, len(seats), AT_ONCE)
    ]
    if rows:
        await transaction.session.execute(insert(PeopleImportRow), rows)
    return [str(row["id"]) for row in rows]


async def _write(transaction: RoomTransaction, seats: Sequence[Seat]) -> None:
    """Store and log people who are counted already."""
    if not seats:
        return
    names = [seat.name for seat in seats]
    guests = await add_guests(transaction.unit, names)
    free = await names_in_the_way(transaction, names)
    rows = [
        _row(transaction, seat, free.take(seat.name), guest)
        for seat, guest in zip(seats, guests, strict=True)
    ]
    stored = [{each.key: getattr(row, each.key) for each in _COLUMNS} for row in rows]
    await transaction.session.execute(insert(ParticipantRow), stored)
    for row in rows:
        record_joined(transaction, row, counted=False)


def _row(transaction: RoomTransaction, seat: Seat, name: str, user_id: str) -> ParticipantRow:
    return ParticipantRow(
        id=seat.participant_id,
        room_id=transaction.room.id,
        user_id=user_id,
        display_name=name,
        role=Role.PARTICIPANT,
        status=ParticipantStatus.ACTIVE,
        data=seat.metadata,
        own={},
        private={},
        points=0,
        joined_at=transaction.now,
        updated_at=transaction.now,
    )


async def _checked(people: Sequence[NewPerson]) -> list[Seat]:
    """Return people as they are added; Invalid points to each name and field with a problem."""
    found: dict[str, list[str]] = {}
    seats: list[Seat] = []
    for place, person in enumerate(people):
        pointer = f"/people/{place}" if person.pointer is None else person.pointer
        metadata, problems = with_whole_tickets(person.metadata)
        inside = pointer if person.pointer else f"{pointer}/metadata"
        found |= {inside + json_pointer.pointer([key]): [text] for key, text in problems.items()}
        if unusable := name_problems(person.name):
            found[f"{pointer}/name"] = [problem.value for problem in unusable]
        else:
            seats.append(Seat(new_id("part"), visible_name(person.name), metadata))
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
    if found:
        raise Invalid("Some entries cannot be used; nobody was put in.", fields=found)
    return seats


def _check_count(transaction: RoomTransaction, count: int) -> None:
    room = transaction.room
    if room.capacity is not None and room.active_count + count > room.capacity:
        message = f"The room has {room.capacity - room.active_count} places left, not {count}."
        raise Conflict(message, code="ROOM_FULL")


def _require_not_ended(transaction: RoomTransaction) -> None:
    if transaction.room.status in ENDED:
        message = "The room has ended."
        raise Conflict(message, code="ROOM_ENDED")
