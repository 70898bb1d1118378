"""How people come into a room: by its code, as guests or with an account; one row for ever."""

from collections.abc import Sequence
from functools import partial
from typing import TypeGuard

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.accounts import create_guest
from mymozhem.auth.names import visible_name
from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    Applicant,
    Change,
    ChangeKind,
    JsonObject,
    ParticipantStatus,
    PersonKind,
    RegistrationRequest,
    RegistrationResult,
    Role,
    RoomStatus,
)
from mymozhem.contract.events import CountChanged, ParticipantJoined
from mymozhem.contract.hooks import REGISTER_PARTICIPANT
from mymozhem.db.base import new_id
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transport import AppTarget
from mymozhem.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Unauthenticated
from mymozhem.manifests.faults import by_field
from mymozhem.manifests.model import Manifest

from .applications import Application, Arrival, Joined
from .codes import normal_code
from .fallbacks import record_fallback
from .idempotency import current_claim, mark_claim_done
from .names import free_name
from .requests import build_context
from .seats import room_not_found
from .services import Services
from .tables import EntryPolicy, ParticipantRow, RoomRow
from .writer import ENDED, RoomWriter, write_room


async def join(
    services: Services,
    code: str,
    caller: Principal | None,
    *,
    name: str | None,
    answers: JsonObject,
) -> Joined:
    """Let somebody into the room with this code; as a guest where there is no caller.

    A person has one row in a room for ever: who is in stays in, who left comes back, who was
    removed does not. Twice is safe for callers with a token. NotFound for a wrong code, whatever
    exists; a right one says that the room is not open yet, locked, full or over. Invalid for a
    name or answers that break their rules, Forbidden where the app or the entry policy turns them
    away.
    """
    async with services.database.read() as session:
        room = await _room_by_code(session, code)
        application = await _apply(session, services, room, caller, name, answers)
    if application.person is not None and _is_in(application.row):
        return Joined(room, application.row, application.person, new=False)
    outcome = await _ask(services, application)
    arrival = Arrival(application, outcome, current_claim())
    let_in = partial(_let_in, services, room.id)
    return await services.arrivals.come(room.id, arrival, let_in=let_in)


async def _room_by_code(session: AsyncSession, code: str) -> RoomRow:
    room = await session.scalar(
        select(RoomRow).where(RoomRow.code == normal_code(code), RoomRow.deleted_at.is_(None))
    )
    if room is None:
        message = "There is no room with this code."
        raise NotFound(message, code="CODE_UNKNOWN")
    return room


async def _apply(
    session: AsyncSession,
    services: Services,
    room: RoomRow,
    caller: Principal | None,
    name: str | None,
    answers: JsonObject,
) -> Application:
    person = await _person(session, room, caller)
    row = await _row(session, room.id, person.id if person else None)
    _refuse_banned(row)
    if row is None or row.status != ParticipantStatus.ACTIVE:
        refuse_closed(room, person.kind if person else PersonKind.GUEST)
    manifest = services.catalog.manifest(room.app_id, room.app_manifest_version)
    _refuse_answers(manifest, answers)
    now = services.clock.now()
    return Application(
        room=room,
        manifest=manifest,
        context=await build_context(
            session, services, room, manifest, hook=REGISTER_PARTICIPANT, now=now
        ),
        person=person,
        name=_name(name, person, row),
        answers=answers,
        row=row,
    )


async def _person(session: AsyncSession, room: RoomRow, caller: Principal | None) -> UserRow | None:
    if caller is None:
        return None
    if caller.room_id not in (None, room.id):
        raise room_not_found()
    person = await session.get(UserRow, caller.user_id)
    if person is None or person.deleted_at is not None:
        raise Unauthenticated
    return person


async def _row(session: AsyncSession, room_id: str, user_id: str | None) -> ParticipantRow | None:
    if user_id is None:
        return None
    return await session.scalar(
        select(ParticipantRow)
        .where(ParticipantRow.room_id == room_id, ParticipantRow.user_id == user_id)
        .execution_options(populate_existing=True)
    )


def _name(name: str | None, person: UserRow | None, row: ParticipantRow | None) -> str:
    if name is not None:
        return visible_name(name)
    if row is not None:
        return row.display_name
    if person is None:
        raise Invalid(fields={"name": ["A name is needed."]})
    return visible_name(person.name[:32])


def refuse_closed(room: RoomRow, kind: PersonKind) -> None:
    """Raise where the doors are closed to this kind of person, and say which way."""
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
    refuse_full(room)


def refuse_full(room: RoomRow) -> None:
    """Raise where every seat is taken."""
    if room.capacity is not None and room.active_count >= room.capacity:
        message = "The room is full."
        raise Conflict(message, code="ROOM_FULL")


def _refuse_banned(row: ParticipantRow | None) -> None:
    if row is not None and row.status == ParticipantStatus.REMOVED:
        message = "You were removed from this room."
        raise Forbidden(message, code="REMOVED")
    if row is not None and row.status == ParticipantStatus.REJECTED:
        message = row.reason or "You were not let in."
        raise Forbidden(message, code="REGISTRATION_REJECTED")


def _refuse_answers(manifest: Manifest, answers: JsonObject) -> None:
    problems = manifest.registration_validator.errors(answers)
    if problems:
        raise Invalid(code="ANSWERS_INVALID", fields=by_field(problems, under="/answers"))


async def _ask(services: Services, application: Application) -> Outcome[RegistrationResult]:
    room, user_id = application.room, application.user_id or new_id("usr")
    outcome = await services.dispatcher.call(
        REGISTER_PARTICIPANT,
        app=AppTarget(room.app_id, room.app_manifest_version),
        context=application.context,
        request=RegistrationRequest(
            applicant=Applicant(
                person_id=services.keys.person_id(room.app_id, user_id),
                name=application.name,
                kind=application.kind,
                role=Role.PARTICIPANT,
                metadata=application.metadata,
            ),
            answers=application.answers,
        ),
        budget=Budget(services.clock, services.settings.action_budget_ms),
    )
    outcome.raise_if_refused()
    outcome.raise_if_failed()
    return outcome


async def _let_in(
    services: Services, room_id: str, arrivals: Sequence[Arrival]
) -> dict[Arrival, Joined | Exception]:
    """Admit people in the order in which they came; where that breaks, each of them alone."""
    try:
        async with write_room(services, room_id) as writer:
            return {arrival: await _admitted(writer, arrival) for arrival in arrivals}
    except Exception as error:  # noqa: BLE001  told to whom it belongs, once that is known
        if len(arrivals) == 1:
            return {arrivals[0]: error}
    alone = [await _let_in(services, room_id, [arrival]) for arrival in arrivals]
    return {arrival: found[arrival] for arrival, found in zip(arrivals, alone, strict=True)}


async def _admitted(writer: RoomWriter, arrival: Arrival) -> Joined | Exception:
    writer.actor_id = arrival.application.user_id
    try:
        joined = await _admit(writer, arrival.application, arrival.outcome)
    except (Conflict, Forbidden, Gone) as refused:  # raised before anything was written
        return refused
    await mark_claim_done(writer.session, arrival.claim)
    return joined


async def _admit(
    writer: RoomWriter, application: Application, outcome: Outcome[RegistrationResult]
) -> Joined:
    row = await _row(writer.session, writer.room.id, application.user_id)
    _refuse_banned(row)
    if application.person is not None and _is_in(row):
        return Joined(writer.room, row, application.person, new=False)
    refuse_closed(writer.room, application.kind)
    result = outcome.result or _unanswered(outcome)
    _refuse_rejected(writer.room, result)
    record_fallback(writer, REGISTER_PARTICIPANT, outcome)
    person = application.person or await create_guest(writer.unit, application.name)
    writer.actor_id = person.id
    row = await _seat(writer, row, person.id, application, result)
    return Joined(writer.room, row, person, new=True)


def _is_in(row: ParticipantRow | None) -> TypeGuard[ParticipantRow]:
    return row is not None and row.status == ParticipantStatus.ACTIVE


def _unanswered(outcome: Outcome[RegistrationResult]) -> RegistrationResult:
    """Return what holds when no app decides: pending where it failed, in where it is not asked."""
    return RegistrationResult(decision="pending" if outcome.failure else "accept")


def _refuse_rejected(room: RoomRow, result: RegistrationResult) -> None:
    taken = result.seats is not None and room.active_count >= result.seats
    if result.decision == "reject" or (result.decision == "accept" and taken):
        message = result.reason or "You were not let in."
        raise Forbidden(message, code="REGISTRATION_REJECTED")


async def _seat(
    writer: RoomWriter,
    row: ParticipantRow | None,
    user_id: str,
    application: Application,
    result: RegistrationResult,
) -> ParticipantRow:
    pending = result.decision == "pending"
    if row is None:
        row = ParticipantRow(
            room_id=writer.room.id,
            user_id=user_id,
            role=Role.PARTICIPANT,
            own={},
            private={},
            points=0,
            joined_at=writer.now,
        )
        writer.session.add(row)
    kept = application.answers | application.metadata
    row.data = kept if result.metadata is None else result.metadata
    row.reason = result.reason if pending else None
    row.display_name = await free_name(writer, application.name, but=row)
    row.last_seen_at = row.updated_at = writer.now
    row.status = ParticipantStatus.PENDING if pending else ParticipantStatus.ACTIVE
    await writer.session.flush()
    record_joined(writer, row)
    return row


def record_joined(writer: RoomWriter, row: ParticipantRow, *, counted: bool = True) -> None:
    """Log and tell that a participant is in the room now, or waits to be; and count them.

    Who adds many people at once counts them together, with `counted=False` here.
    """
    if counted and row.status == ParticipantStatus.ACTIVE and row.role == Role.PARTICIPANT:
        count_people(writer, 1)
    writer.record(ParticipantJoined(participant_id=row.id, role=row.role, status=row.status))
    if row.status == ParticipantStatus.ACTIVE:
        writer.changed(Change(kind=ChangeKind.JOINED, what="joined", participant_id=row.id))


def count_people(writer: RoomWriter, step: int) -> None:
    """Add to the number of people who take part; the database refuses more than the capacity."""
    writer.room.active_count += step
    writer.record(CountChanged(count=writer.room.active_count))
