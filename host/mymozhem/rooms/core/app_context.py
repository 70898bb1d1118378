"""What a hook is told: the context of a call, complete and with what the manifest needs."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    CONTRACT_VERSION,
    Actor,
    AppRef,
    Context,
    Hook,
    ParticipantData,
    Participants,
    PersonKind,
    Prize,
    Role,
    RoomData,
    RoomView,
    Winner,
)
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.tables.rooms import (
    ParticipantRow,
    PrizeRow,
    RoomLockRow,
    RoomRow,
    RoomStateRow,
    WinnerRow,
)
from mymozhem.rooms.windows.queries import submissions_of_closed

from .app_context_data import reserves_of
from .membership import Seat
from .services import Services


@dataclass(frozen=True)
class Revision:
    """What an answer was computed from; if it changed meanwhile, the app is asked again."""

    status: str
    lock_id: str
    settings_version: int
    state_version: int
    actor: tuple[Role, str] | None


async def build_context(  # noqa: PLR0913  a context is that wide
    session: AsyncSession,
    services: Services,
    room: RoomRow,
    manifest: Manifest,
    *,
    hook: Hook[BaseModel, BaseModel],
    name: str | None = None,
    now: datetime,
    seat: Seat | None = None,
    received_at: datetime | None = None,
    due_at: datetime | None = None,
    seed: str | None = None,
) -> Context:
    """Return the context of a call about a room; `name` is that of the action or timer, if any.

    The dispatcher fills in the call's id and what is left of its deadline. `seed` is to be the same
    in every attempt of a call; without one a fresh one is drawn.
    """
    state = await room_state(session, room.id)
    digest = await session.scalar(select(RoomLockRow.digest).where(RoomLockRow.id == room.lock_id))
    needs = manifest.needs_of(hook, name)
    return Context(
        contract=CONTRACT_VERSION,
        call_id="",
        app=AppRef(id=room.app_id, version=room.app_manifest_version),
        room=room_view(room, state),
        actor=actor_of(seat),
        now=now,
        received_at=received_at,
        due_at=due_at,
        deadline_ms=0,
        lock=digest,
        seed=seed or secrets.token_hex(32),
        prizes=await _prizes(session, room.id) if "prizes" in needs else None,
        winners=await _winners(session, room.id) if "winners" in needs else None,
        reserves=await reserves_of(session, room.id) if "reserves" in needs else None,
        participants=await _participants(session, services, room)
        if "participants" in needs
        else None,
        submissions=await submissions_of_closed(session, room.id)
        if "submissions" in needs
        else None,
    )


async def room_state(session: AsyncSession, room_id: str) -> RoomStateRow:
    """Return the room's state, read once in a session; every room has one from its creation on.

    A session that writes has locked the room first, so that nobody else changes what it has read.
    """
    state = await session.get_one(RoomStateRow, room_id)
    session.info[RoomStateRow, room_id] = state  # a session by itself forgets what nobody holds
    return state


async def revision(session: AsyncSession, room: RoomRow, seat: Seat | None) -> Revision:
    """Return what an answer about the room now would be computed from."""
    state = await room_state(session, room.id)
    actor = None
    if seat is not None and seat.role is not None:
        actor = (seat.role, seat.participant.status if seat.participant else "")
    return Revision(room.status, room.lock_id, room.settings_version, state.version, actor)


def room_view(room: RoomRow, state: RoomStateRow) -> RoomView:
    """Return the room as an app sees it."""
    return RoomView(
        id=room.id,
        name=room.name,
        status=room.status,
        locale=room.locale,
        settings=room.app_settings,
        state=RoomData(public=state.public, organizer=state.organizer, private=state.private),
    )


def actor_of(seat: Seat | None) -> Actor | None:
    """Return the caller as an app sees them; None where nobody caused the call."""
    if seat is None or seat.role is None:
        return None
    person = seat.participant
    return Actor(
        participant_id=person.id if person else None,
        role=seat.role,
        kind=seat.kind,
        metadata=person.data if person else {},
        data=ParticipantData(own=person.own, private=person.private)
        if person
        else ParticipantData(),
    )


async def _prizes(session: AsyncSession, room_id: str) -> tuple[Prize, ...]:
    rows = await session.scalars(
        select(PrizeRow)
        .where(PrizeRow.room_id == room_id, PrizeRow.deleted_at.is_(None))
        .order_by(PrizeRow.id)
    )
    return tuple(
        Prize(
            id=row.id,
            name=row.name,
            description=row.description,
            quantity=row.quantity,
            quantity_remaining=row.quantity_remaining,
            metadata=row.data,
        )
        for row in rows
    )


async def _winners(session: AsyncSession, room_id: str) -> tuple[Winner, ...]:
    rows = await session.scalars(
        select(WinnerRow)
        .where(WinnerRow.room_id == room_id, WinnerRow.sealed.is_(False))
        .order_by(WinnerRow.id)
    )
    return tuple(
        Winner(
            id=row.id,
            participant_id=row.participant_id,
            prize_id=row.prize_id,
            draw_id=row.draw_id,
            status=row.status,
            reason=row.reason,
            metadata=row.data,
        )
        for row in rows
    )


async def _participants(session: AsyncSession, services: Services, room: RoomRow) -> Participants:
    found = await session.execute(
        select(ParticipantRow, UserRow.kind)
        .join(UserRow, UserRow.id == ParticipantRow.user_id)
        .where(ParticipantRow.room_id == room.id, ParticipantRow.deleted_at.is_(None))
        .order_by(ParticipantRow.id)
    )
    rows = [(row, PersonKind(kind)) for row, kind in found]
    return Participants(
        id=tuple(row.id for row, _ in rows),
        person_id=tuple(services.keys.person_id(room.app_id, row.user_id) for row, _ in rows),
        kind=tuple(kind for _, kind in rows),
        role=tuple(row.role for row, _ in rows),
        status=tuple(row.status for row, _ in rows),
        joined_at=tuple(row.joined_at for row, _ in rows),
        last_seen_at=tuple(row.last_seen_at for row, _ in rows),
        metadata=tuple(row.data for row, _ in rows),
        data=tuple(ParticipantData(own=row.own, private=row.private) for row, _ in rows),
        points=tuple(row.points for row, _ in rows),
    )
