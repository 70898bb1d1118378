"""Admit people who asked to join: decide one by one, in order; write all in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert
from sqlalchemy.orm.attributes import flag_modified

from mymozhem.auth.accounts import new_guest, store_guests
from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    Change,
    ChangeKind,
    JsonObject,
    ParticipantStatus,
    RegistrationResult,
    Role,
)
from mymozhem.contract.events import CountChanged, OwnStateChanged, ParticipantJoined
from mymozhem.contract.hooks import REGISTER_PARTICIPANT
from mymozhem.db.base import new_id
from mymozhem.dispatch.outcome import Outcome
from mymozhem.errors import Conflict, Forbidden, Gone, NotFound, Unavailable
from mymozhem.idempotency.keys import mark_claim_done
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.coordination.join_batches import AnsweredJoin, JoinRequest, JoinResult
from mymozhem.rooms.core.revision import room_state
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction
from mymozhem.rooms.tables.participants import ParticipantRow

from .display_names import names_in_the_way
from .join_policy import is_active, require_accepted, require_not_banned, require_open
from .lookup import rows_of
from .return_codes import issue_return_code

_COLUMNS = tuple(column.key for column in ParticipantRow.__mapper__.column_attrs)


async def admit(
    services: Services, room_id: str, joins: Sequence[AnsweredJoin]
) -> dict[AnsweredJoin, JoinResult | Exception]:
    """Admit people in the order of their requests; if a batch fails, retry it in halves.

    If the database is unavailable or the room is gone, all of them receive that error.
    """
    try:
        async with room_transaction(services, room_id) as transaction:
            return await _admit(transaction, joins)
    except (NotFound, Unavailable) as error:
        return dict.fromkeys(joins, error)
    except Exception as error:  # noqa: BLE001  raised to the caller who causes it
        if len(joins) == 1:
            return {joins[0]: error}
    half = len(joins) // 2
    first = await admit(services, room_id, joins[:half])
    return first | await admit(services, room_id, joins[half:])


def record_joined(
    transaction: RoomTransaction, row: ParticipantRow, *, counted: bool = True
) -> None:
    """Record that a participant has joined, or waits for approval, notify the app, and count them.

    Callers that add many people count them together and pass `counted=False`.
    """
    if counted and _counts(row):
        count_people(transaction, 1)
    transaction.record(ParticipantJoined(participant_id=row.id, role=row.role, status=row.status))
    if row.status == ParticipantStatus.ACTIVE:
        transaction.changed(Change(kind=ChangeKind.JOINED, what="joined", participant_id=row.id))


def count_people(transaction: RoomTransaction, step: int) -> None:
    """Add to the number of participants; the database enforces the capacity."""
    transaction.room.active_count += step
    transaction.record(CountChanged(count=transaction.room.active_count))


async def _admit(
    transaction: RoomTransaction, joins: Sequence[AnsweredJoin]
) -> dict[AnsweredJoin, JoinResult | Exception]:
    known = {each.request.user_id for each in joins if each.request.user_id}
    batch = _AdmissionBatch(
        transaction, await rows_of(transaction.session, transaction.room.id, known)
    )
    found: dict[AnsweredJoin, JoinResult | Exception] = {}
    for answered in joins:
        try:
            found[answered] = batch.admit(answered)
        except (Conflict, Forbidden, Gone) as refused:  # raised before anything was changed
            found[answered] = refused
        else:
            await mark_claim_done(transaction.session, answered.claim)
    await batch.write()
    return found


@dataclass(frozen=True)
class _Admission:
    """An admitted person; `new` if their row is still to be stored."""

    answered: AnsweredJoin
    person: UserRow
    row: ParticipantRow
    new: bool

    @property
    def request(self) -> JoinRequest:
        """The request for it."""
        return self.answered.request


class _AdmissionBatch:
    """One batch of admissions to a locked room; `rows` are the rows that already exist."""

    def __init__(self, transaction: RoomTransaction, rows: dict[str, ParticipantRow]) -> None:
        self._writer = transaction
        self._rows = rows
        self._seats: list[_Admission] = []

    def admit(self, answered: AnsweredJoin) -> JoinResult:
        """Reserve a place for a person; raise if there is none."""
        request, room = answered.request, self._writer.room
        row = self._rows.get(request.user_id or "")
        require_not_banned(row)
        if request.person is not None and is_active(row):
            return JoinResult(room, row, request.person, new=False)
        require_open(room, request.found.kind)
        result = answered.outcome.result or _unanswered(answered.outcome)
        require_accepted(room, result)
        person = request.person or new_guest(self._writer.unit, request.name)
        seat = _Admission(answered, person, row or self._new_row(person), new=row is None)
        seat.row.role = request.role_inside
        guest = request.person is None
        code = issue_return_code(self._writer.services.keys, seat.row) if guest else None
        self._assign(seat, result)
        return JoinResult(room, seat.row, person, new=True, return_code=code)

    def _assign(self, seat: _Admission, result: RegistrationResult) -> None:
        row, pending = seat.row, result.decision == "pending"
        kept = seat.request.answers | seat.request.metadata
        row.data = kept if result.metadata is None else result.metadata
        for part, data in (("own", result.own), ("private", result.private)):
            if data is not None:
                setattr(row, part, data)
                flag_modified(row, part)  # to Python, a 1 that becomes true is the same
        row.reason = result.reason if pending else None
        if seat.request.self_metadata is not None:
            row.self_metadata = seat.request.self_metadata
        row.last_seen_at = row.updated_at = self._writer.now
        row.status = ParticipantStatus.PENDING if pending else ParticipantStatus.ACTIVE
        if _counts(row):
            self._writer.room.active_count += 1
        self._rows[seat.person.id] = row
        self._seats.append(seat)

    def _new_row(self, person: UserRow) -> ParticipantRow:
        return ParticipantRow(
            id=new_id("part"),
            room_id=self._writer.room.id,
            user_id=person.id,
            role=Role.PARTICIPANT,
            display_name="",
            own={},
            private={},
            points=0,
            joined_at=self._writer.now,
        )

    async def write(self) -> None:
        """Name, store and log everybody who was admitted."""
        if not self._seats:
            return
        await self._name()
        guests = [seat.person for seat in self._seats if seat.request.person is None]
        await store_guests(self._writer.unit, guests)
        fresh = [
            {key: getattr(seat.row, key) for key in _COLUMNS} for seat in self._seats if seat.new
        ]
        if fresh:
            await self._writer.session.execute(insert(ParticipantRow), fresh)
        await self._note_changed_data()
        self._record()

    async def _note_changed_data(self) -> None:
        """Move the revision on if data changed that answers may be computed from."""
        if any(_gives_data(seat) for seat in self._seats if not seat.new):
            state = await room_state(self._writer.session, self._writer.room.id)
            state.version += 1

    async def _name(self) -> None:
        names = [seat.request.name for seat in self._seats]
        free = await names_in_the_way(self._writer, names)
        for seat in self._seats:
            old = seat.row.display_name
            seat.row.display_name = free.take(seat.request.name, instead_of=old)

    def _record(self) -> None:
        transaction = self._writer
        for seat in self._seats:
            transaction.actor_id = seat.person.id
            record_fallback(transaction, REGISTER_PARTICIPANT, seat.answered.outcome)
            record_joined(transaction, seat.row, counted=False)
            if (own := _own_of(seat)) is not None:
                transaction.record(OwnStateChanged(own=own), to=seat.row.id)
        if any(_counts(seat.row) for seat in self._seats):
            count_people(
                transaction, 0
            )  # each was counted when admitted; one event reports the total


def _own_of(seat: _Admission) -> JsonObject | None:
    """Return what the app's answer shows to the participant; None if it says nothing of it."""
    result = seat.answered.outcome.result
    return result.own if result is not None else None


def _gives_data(seat: _Admission) -> bool:
    result = seat.answered.outcome.result
    return result is not None and (result.own is not None or result.private is not None)


def _unanswered(outcome: Outcome[RegistrationResult]) -> RegistrationResult:
    """Return the result without the app: pending if it failed, admitted if not called."""
    return RegistrationResult(decision="pending" if outcome.failure else "accept")


def _counts(row: ParticipantRow) -> bool:
    return row.status == ParticipantStatus.ACTIVE and row.role == Role.PARTICIPANT
