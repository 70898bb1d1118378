"""Locks, as callers see them: now and before, and what serves the room."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import JsonObject
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import ORGANIZERS, Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.locks.queries import locks_of, records_of
from mymozhem.rooms.tables.locks import LockDriftRow, RoomLockRow, RoomServedByRow
from mymozhem.rooms.tables.rooms import RoomRow

from .base import Timestamp, View


class LockOnceView(View):
    """A lock that a room has or had; `digest` is that of the document `lock`."""

    id: str
    lock: JsonObject
    digest: str
    reason: str
    created_at: Timestamp


class TargetView(View):
    """What served the room from a time on; null means nothing."""

    target: JsonObject | None
    since: Timestamp


class ServedByView(View):
    """What serves a room now.

    `target` is null if nothing does. `since` is null until the host has recorded it. `asLocked`
    means that it is what the lock names. `records` list what has served the room instead under the
    current lock, the oldest first.
    """

    target: JsonObject | None
    since: Timestamp | None
    as_locked: bool
    records: list[TargetView]


class DriftView(View):
    """A remote app replied under another lock than the room's: which, how often, when."""

    version: str
    named: str
    expected: str
    times: int
    first_at: Timestamp
    last_at: Timestamp


class LockView(View):
    """What a room is locked to.

    `history` holds all its locks, the current one last. Nothing serves `orphaned` rooms. `drift` is
    for organizers, the latest first.
    """

    id: str
    room_id: str
    lock: JsonObject
    digest: str
    reason: str
    created_at: Timestamp
    history: list[LockOnceView]
    served_by: ServedByView
    orphaned: bool
    drift: list[DriftView] | None = None


async def room_lock(session: AsyncSession, catalog: Catalog, membership: Membership) -> LockView:
    """Return what a room is locked to, and what serves it as this process sees it."""
    room = membership.room
    locks = await locks_of(session, room.id)
    present = next(row for row in locks if row.id == room.lock_id)
    records = await records_of(session, room)
    target = catalog.target(room.app_id, room.app_manifest_version)
    seen = LockView(
        id=present.id,
        room_id=room.id,
        lock=present.lock,
        digest=present.digest,
        reason=present.reason,
        created_at=present.created_at,
        history=[_once(row) for row in locks],
        served_by=_served_by(present, records, target),
        orphaned=target is None,
    )
    if membership.role not in ORGANIZERS:
        return seen
    return seen.model_copy(update={"drift": await _drifts(session, room)})


async def read_lock(services: Services, room_id: str, caller: Principal | None) -> LockView:
    """Return what a room is locked to if the access table admits the caller."""
    async with read_as(services, room_id, caller, "GET /rooms/{id}/lock") as (session, membership):
        return await room_lock(session, services.catalog, membership)


def _served_by(
    present: RoomLockRow, records: list[RoomServedByRow], target: JsonObject | None
) -> ServedByView:
    noted = records[-1].target if records else present.lock["target"]
    since = records[-1].since if records else present.created_at
    return ServedByView(
        target=target,
        since=since if noted == target else None,
        as_locked=target == present.lock["target"],
        records=[TargetView(target=row.target, since=row.since) for row in records],
    )


def _once(row: RoomLockRow) -> LockOnceView:
    return LockOnceView(
        id=row.id, lock=row.lock, digest=row.digest, reason=row.reason, created_at=row.created_at
    )


async def _drifts(session: AsyncSession, room: RoomRow) -> list[DriftView]:
    rows = await session.scalars(
        select(LockDriftRow)
        .where(LockDriftRow.room_id == room.id)
        .order_by(LockDriftRow.last_at.desc(), LockDriftRow.id)
    )
    return [
        DriftView(
            version=row.version,
            named=row.named,
            expected=row.expected,
            times=row.times,
            first_at=row.first_at,
            last_at=row.last_at,
        )
        for row in rows
    ]
