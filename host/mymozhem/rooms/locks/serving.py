"""Record what serves rooms, whenever that has changed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from sqlalchemy import ColumnElement, Integer, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import JsonObject, Level, RoomStatus
from mymozhem.contract.canonical_json import digest
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.errors import NotFound
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.notifications import send
from mymozhem.rooms.tables.locks import RoomLockRow, RoomServedByRow
from mymozhem.rooms.tables.rooms import RoomRow

from .verify import target_name

#: rooms in one transaction; fewer if people of each are notified
AT_ONCE = 500
TOLD_AT_ONCE = 20

#: rooms that somebody has to answer for
RUNNING = (RoomStatus.DRAFT, RoomStatus.ACTIVE)

#: what `rooms.served_target` holds while nothing answers for a room
ORPHANED = digest(None)

_GONE = (
    "Nothing answers for {app_id} {version} at the moment. The room stays as it is: it can be "
    "read, its log replays, and the app's fallbacks decide. Operators see it too."
)
_BACK = "{app_id} {version} answers again."

logger = structlog.stdlib.get_logger(__name__)


class Locked(NamedTuple):
    """What rooms under equal locks share: an app, a version, the lock's digest."""

    app_id: str
    version: str
    digest: str


@dataclass(frozen=True)
class Group:
    """Rooms in DRAFT or ACTIVE under the same lock and with the same record.

    `target` is the lock's own. `noted` is the digest of the target that serves instead, or None if
    the lock's own target serves.
    """

    locked: Locked
    target: JsonObject
    noted: str | None
    rooms: int
    active: int


async def running_groups(session: AsyncSession) -> list[Group]:
    """Return all rooms in DRAFT and ACTIVE, grouped; few groups, however many rooms."""
    active = func.sum((RoomRow.status == RoomStatus.ACTIVE).cast(Integer))
    key = (RoomRow.app_id, RoomRow.app_manifest_version, RoomLockRow.digest, RoomRow.served_target)
    found = await session.execute(
        select(*key, func.min(RoomLockRow.id), func.count(), active)
        .join(RoomLockRow, RoomLockRow.id == RoomRow.lock_id)
        .where(*_running())
        .group_by(*key)
        .order_by(*key[:3])
    )
    rows = found.all()
    locks = await session.scalars(
        select(RoomLockRow).where(RoomLockRow.id.in_([row[4] for row in rows]))
    )
    targets = {row.id: row.lock["target"] for row in locks}
    return [
        Group(Locked(app_id, version, lock), targets[lock_id], noted, rooms, running)
        for app_id, version, lock, noted, lock_id, rooms, running in rows
    ]


class ServingRecorder:
    """Records what serves the rooms, as this process sees it.

    A process records what it sees when it starts, and later what has changed in its own view, or
    what no process has recorded for a room. So two processes with different views (one lacks an
    environment) each write once and do not overwrite each other forever. `at_once` is the maximal
    number of rooms in one transaction.
    """

    def __init__(self, services: Services, *, at_once: int = AT_ONCE) -> None:
        self._services = services
        self._at_once = at_once
        self._said: dict[Locked, str | None] = {}
        self._turn = asyncio.Lock()

    async def note(self) -> list[Group]:
        """Compare all rooms with the apps of this process and record differences; idempotent.

        Returns the groups that nothing serves, as they were read. Rooms of versions that this
        process does not know yet are left alone.
        """
        async with self._turn:
            async with self._services.database.read() as session:
                groups = await running_groups(session)
            orphans, said = [], {}
            for group in groups:
                manifest = self._manifest(group.locked)
                if manifest is None:
                    continue
                target = self._services.catalog.target(group.locked.app_id, group.locked.version)
                now = None if target == group.target else digest(target)
                said[group.locked] = now
                if target is None:
                    orphans.append(group)
                known = self._said.get(group.locked, "") == now
                if now != group.noted and (group.noted is None or not known):
                    await self._note(group, manifest, target, now)
            self._said = said
            return orphans

    def _manifest(self, locked: Locked) -> Manifest | None:
        try:
            return self._services.catalog.manifest(locked.app_id, locked.version)
        except NotFound:
            return None

    async def _note(
        self, group: Group, manifest: Manifest, target: JsonObject | None, now: str | None
    ) -> None:
        words = _words(group.noted, now)
        limit = self._at_once if words is None else min(self._at_once, TOLD_AT_ONCE)
        async with self._services.database.read() as session:
            ids = await _ids(session, group)
        changed = 0
        for start in range(0, len(ids), limit):
            async with self._services.database.write() as unit:
                rooms = await _still(unit.session, group, ids[start : start + limit])
                if rooms:
                    await _append(unit, rooms, target, now)
                if words is not None:
                    for room in await _whole(unit.session, rooms):
                        await _tell(self._services, unit, room, manifest, words)
            changed += len(rooms)
        app_id, version, _ = group.locked
        if target is None:
            # The reconciler warns once per version, and says what to do.
            logger.info(
                "rooms are recorded as orphaned", app=app_id, version=version, rooms=changed
            )
            return
        again = group.noted == ORPHANED
        said = "rooms are served again" if again else "rooms are served by other code"
        by = target_name(target)
        logger.info(said, app=app_id, version=version, by=by, rooms=changed)


def _running() -> tuple[ColumnElement[bool], ...]:
    return RoomRow.status.in_(RUNNING), RoomRow.deleted_at.is_(None)


class _Locked(NamedTuple):
    """A room whose row is locked."""

    id: str
    lock_id: str


def _of(group: Group) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the rooms of a group whose record is unchanged."""
    app_id, version, lock = group.locked
    return (
        RoomRow.app_id == app_id,
        RoomRow.app_manifest_version == version,
        RoomLockRow.digest == lock,
        RoomRow.served_target.is_not_distinct_from(group.noted),
        *_running(),
    )


async def _ids(session: AsyncSession, group: Group) -> Sequence[str]:
    found = await session.scalars(
        select(RoomRow.id)
        .join(RoomLockRow, RoomLockRow.id == RoomRow.lock_id)
        .where(*_of(group))
        .order_by(RoomRow.id)
    )
    return found.all()


async def _still(session: AsyncSession, group: Group, ids: Sequence[str]) -> list[_Locked]:
    """Lock those of some rooms that are still in the group."""
    found = await session.execute(
        select(RoomRow.id, RoomRow.lock_id)
        .join(RoomLockRow, RoomLockRow.id == RoomRow.lock_id)
        .where(RoomRow.id.in_(ids), *_of(group))
        .order_by(RoomRow.id)
        .with_for_update(of=RoomRow)
    )
    return [_Locked(room_id, lock_id) for room_id, lock_id in found]


async def _whole(session: AsyncSession, rooms: Sequence[_Locked]) -> Sequence[RoomRow]:
    found = await session.scalars(
        select(RoomRow)
        .where(RoomRow.id.in_([room.id for room in rooms]))
        .order_by(RoomRow.id)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def _append(
    unit: UnitOfWork, rooms: Sequence[_Locked], target: JsonObject | None, now: str | None
) -> None:
    named = digest(target)
    rows = [
        {
            "id": new_id("served"),
            "room_id": room.id,
            "lock_id": room.lock_id,
            "target": target,
            "digest": named,
            "since": unit.now,
        }
        for room in rooms
    ]
    await unit.session.execute(insert(RoomServedByRow), rows)
    await unit.session.execute(
        update(RoomRow)
        .where(RoomRow.id.in_([room.id for room in rooms]))
        .values(served_target=now)
        .execution_options(synchronize_session=False)
    )


async def _tell(
    services: Services,
    unit: UnitOfWork,
    room: RoomRow,
    manifest: Manifest,
    words: tuple[str, str],
) -> None:
    """Notify the organizers of a room."""
    transaction = RoomTransaction(services, unit, room, manifest=manifest, actor_id=None, depth=0)
    title, message = words
    text = message.format(app_id=room.app_id, version=room.app_manifest_version)
    await send.send_notification(transaction, to=Level.ORGANIZER, title=title, message=text)
    await transaction.finish()


def _words(before: str | None, now: str | None) -> tuple[str, str] | None:
    """Return the message to organizers; None if nothing changes for them."""
    if now == ORPHANED:
        return "The app of this room is gone", _GONE
    return ("The app of this room is back", _BACK) if before == ORPHANED else None
