"""How those who applied get their seats: decided one by one in order, written all at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert

from mymozhem.auth.accounts import new_guest, store_guests
from mymozhem.auth.tables import UserRow
from mymozhem.contract import Change, ChangeKind, ParticipantStatus, RegistrationResult, Role
from mymozhem.contract.events import CountChanged, ParticipantJoined
from mymozhem.contract.hooks import REGISTER_PARTICIPANT
from mymozhem.db.base import new_id
from mymozhem.dispatch.outcome import Outcome
from mymozhem.errors import Conflict, Forbidden, Gone, NotFound, Unavailable
from mymozhem.idempotency.keys import mark_claim_done
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.coordination.join_batches import Application, Arrival, Joined
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction
from mymozhem.rooms.tables.participants import ParticipantRow

from .display_names import names_in_the_way
from .join_policy import is_active, require_accepted, require_not_banned, require_open
from .lookup import rows_of

_COLUMNS = tuple(column.key for column in ParticipantRow.__mapper__.column_attrs)


async def admit(
    services: Services, room_id: str, arrivals: Sequence[Arrival]
) -> dict[Arrival, Joined | Exception]:
    """Admit people in the order in which they came; where that breaks, in halves down to whom.

    A database that is not there, or a room that is gone, is told to all of them at once.
    """
    try:
        async with room_transaction(services, room_id) as transaction:
            return await _admit(transaction, arrivals)
    except (NotFound, Unavailable) as error:
        return dict.fromkeys(arrivals, error)
    except Exception as error:  # noqa: BLE001  told to whom it belongs, once that is known
        if len(arrivals) == 1:
            return {arrivals[0]: error}
    half = len(arrivals) // 2
    first = await admit(services, room_id, arrivals[:half])
    return first | await admit(services, room_id, arrivals[half:])


def record_joined(
    transaction: RoomTransaction, row: ParticipantRow, *, counted: bool = True
) -> None:
    """Log and tell that a participant is in the room now, or waits to be; and count them.

    Who adds many people at once counts them together, with `counted=False` here.
    """
    if counted and _counts(row):
        count_people(transaction, 1)
    transaction.record(ParticipantJoined(participant_id=row.id, role=row.role, status=row.status))
    if row.status == ParticipantStatus.ACTIVE:
        transaction.changed(Change(kind=ChangeKind.JOINED, what="joined", participant_id=row.id))


def count_people(transaction: RoomTransaction, step: int) -> None:
    """Add to the number of people who take part; the database refuses more than the capacity."""
    transaction.room.active_count += step
    transaction.record(CountChanged(count=transaction.room.active_count))


async def _admit(
    transaction: RoomTransaction, arrivals: Sequence[Arrival]
) -> dict[Arrival, Joined | Exception]:
    known = {each.application.user_id for each in arrivals if each.application.user_id}
    turn = _AdmissionBatch(
        transaction, await rows_of(transaction.session, transaction.room.id, known)
    )
    found: dict[Arrival, Joined | Exception] = {}
    for arrival in arrivals:
        try:
            found[arrival] = turn.admit(arrival)
        except (Conflict, Forbidden, Gone) as refused:  # raised before anything was changed
            found[arrival] = refused
        else:
            await mark_claim_done(transaction.session, arrival.claim)
    await turn.write()
    return found


@dataclass(frozen=True)
class _Admission:
    """A place that somebody gets; `new` where their row is still to be stored."""

    arrival: Arrival
    person: UserRow
    row: ParticipantRow
    new: bool

    @property
    def application(self) -> Application:
        """Who applied for it."""
        return self.arrival.application


class _AdmissionBatch:
    """One turn at a locked room's door; `rows` are those of the people who have one already."""

    def __init__(self, transaction: RoomTransaction, rows: dict[str, ParticipantRow]) -> None:
        self._writer = transaction
        self._rows = rows
        self._seats: list[_Admission] = []

    def admit(self, arrival: Arrival) -> Joined:
        """Give somebody a seat, which the next ones no longer get; raises where there is none."""
        application, room = arrival.application, self._writer.room
        row = self._rows.get(application.user_id or "")
        require_not_banned(row)
        if application.person is not None and is_active(row):
            return Joined(room, row, application.person, new=False)
        require_open(room, application.seen.kind)
        result = arrival.outcome.result or _unanswered(arrival.outcome)
        require_accepted(room, result)
        person = application.person or new_guest(self._writer.unit, application.name)
        seat = _Admission(arrival, person, row or self._new_row(person), new=row is None)
        self._assign(seat, result)
        return Joined(room, seat.row, person, new=True)

    def _assign(self, seat: _Admission, result: RegistrationResult) -> None:
        row, pending = seat.row, result.decision == "pending"
        kept = seat.application.answers | seat.application.metadata
        row.data = kept if result.metadata is None else result.metadata
        row.reason = result.reason if pending else None
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
        """Name, store and log everybody who got a seat."""
        if not self._seats:
            return
        await self._name()
        guests = [seat.person for seat in self._seats if seat.application.person is None]
        await store_guests(self._writer.unit, guests)
        fresh = [
            {key: getattr(seat.row, key) for key in _COLUMNS} for seat in self._seats if seat.new
        ]
        if fresh:
            await self._writer.session.execute(insert(ParticipantRow), fresh)
        self._record()

    async def _name(self) -> None:
        names = [seat.application.name for seat in self._seats]
        free = await names_in_the_way(self._writer, names)
        for seat in self._seats:
            old = seat.row.display_name
            seat.row.display_name = free.take(seat.application.name, instead_of=old)

    def _record(self) -> None:
        transaction = self._writer
        for seat in self._seats:
            transaction.actor_id = seat.person.id
            record_fallback(transaction, REGISTER_PARTICIPANT, seat.arrival.outcome)
            record_joined(transaction, seat.row, counted=False)
        if any(_counts(seat.row) for seat in self._seats):
            count_people(
                transaction, 0
            )  # each was counted as they sat down; everybody hears it once


def _unanswered(outcome: Outcome[RegistrationResult]) -> RegistrationResult:
    """Return what holds when no app decides: pending where it failed, in where it is not asked."""
    return RegistrationResult(decision="pending" if outcome.failure else "accept")


def _counts(row: ParticipantRow) -> bool:
    return row.status == ParticipantStatus.ACTIVE and row.role == Role.PARTICIPANT
