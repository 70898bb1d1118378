"""Build the context of a hook call: complete, and with what the manifest's `needs` name."""

import secrets
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    Actor,
    AppRef,
    Context,
    Hook,
    ParticipantData,
    RoomData,
    RoomView,
)
from mymozhem.contract.versions import CONTRACT_VERSIONS
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.coordination.known_locks import KnownLock
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow

from .app_context_data import (
    participants_of,
    prizes_of,
    reserves_of,
    submissions_of_closed,
    winners_of,
)
from .membership import Membership
from .revision import room_state
from .services import Services


class LockFacts(NamedTuple):
    """The digest of a room's lock, and the version of the contract that the room is locked to."""

    digest: str | None
    contract: str


async def build_context(  # noqa: PLR0913  a context is that wide
    session: AsyncSession,
    services: Services,
    room: RoomRow,
    manifest: Manifest,
    *,
    hook: Hook[BaseModel, BaseModel],
    name: str | None = None,
    now: datetime,
    membership: Membership | None = None,
    received_at: datetime | None = None,
    due_at: datetime | None = None,
    seed: str | None = None,
) -> Context:
    """Return the context of a call about a room.

    `name` is the name of the action or timer, if any. The dispatcher fills in the call id and the
    remaining deadline. Pass the same `seed` in every attempt of a call; without one, a new seed is
    generated.
    """
    state = await room_state(session, room.id)
    lock = await room_lock(session, services, room, manifest)
    needs = manifest.needs_of(hook, name)
    return Context(
        contract=lock.contract,
        call_id="",
        app=AppRef(id=room.app_id, version=room.app_manifest_version),
        room=room_view(room, state),
        actor=actor_of(membership),
        now=now,
        received_at=received_at,
        due_at=due_at,
        deadline_ms=0,
        lock=lock.digest,
        seed=seed or secrets.token_hex(32),
        prizes=await prizes_of(session, room.id) if "prizes" in needs else None,
        winners=await winners_of(session, room.id) if "winners" in needs else None,
        reserves=await reserves_of(session, room.id) if "reserves" in needs else None,
        participants=await participants_of(session, services, room, shown=manifest.platform_form)
        if "participants" in needs
        else None,
        submissions=await submissions_of_closed(session, room.id)
        if "submissions" in needs
        else None,
    )


async def room_lock(
    session: AsyncSession, services: Services, room: RoomRow, manifest: Manifest
) -> LockFacts:
    """Return the facts of a room's lock that calls contain.

    A call of another version of the app than the room's (a migration) is made in the newest
    version of the contract that this version of the app speaks.
    """
    lock = services.known_locks.get(room.lock_id) or await _read_lock(session, services, room)
    locked = lock.contract if lock is not None else None
    is_locked = manifest.version == room.app_manifest_version and locked in CONTRACT_VERSIONS
    contract = str(locked) if is_locked else manifest.speaks
    return LockFacts(lock.digest if lock is not None else None, contract)


async def _read_lock(session: AsyncSession, services: Services, room: RoomRow) -> KnownLock | None:
    found = await session.execute(
        select(RoomLockRow.digest, RoomLockRow.lock).where(RoomLockRow.id == room.lock_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    contract = row.lock.get("contract")
    lock = KnownLock(row.digest, str(contract) if contract is not None else None)
    services.known_locks.keep(room.lock_id, lock)
    return lock


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


def actor_of(membership: Membership | None) -> Actor | None:
    """Return the caller as an app sees them, or None if the host itself caused the call."""
    if membership is None or membership.role is None:
        return None
    person = membership.participant
    return Actor(
        participant_id=person.id if person else None,
        role=membership.role,
        kind=membership.kind,
        metadata=person.data if person else {},
        data=ParticipantData(own=person.own, private=person.private)
        if person
        else ParticipantData(),
    )
