"""Write the move of a room: one transaction that keeps the old settings and state."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm.attributes import flag_modified

from mymozhem.contract import Change, ChangeKind, JsonObject, Level
from mymozhem.contract.canonical_json import digest
from mymozhem.contract.enums import UpgradeHow
from mymozhem.contract.events import RoomUpdated, RoomVersionChanged
from mymozhem.db.base import new_id
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.referee.json_values import same
from mymozhem.rooms.app_calls.pending import forget, forget_room
from mymozhem.rooms.app_calls.retry import retry_now
from mymozhem.rooms.app_state import replace_state
from mymozhem.rooms.core.revision import room_state
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.locks.document import lock_document
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.rooms import RoomStateRow
from mymozhem.rooms.tables.timers import TimerRow, TimerSpace

from .migrate import State
from .plan import changed_parts

#: how many ids one statement names
IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Move:
    """A move: target, settings, state, how and why; `reason` is kept with the lock."""

    target: Manifest
    settings: JsonObject
    state: State
    how: UpgradeHow
    reason: str


def state_of(row: RoomStateRow) -> State:
    """Return the three parts of a state."""
    return {"public": row.public, "organizer": row.organizer, "private": row.private}


async def move(transaction: RoomTransaction, wanted: Move) -> RoomLockRow:
    """Lock a room to a version and store the settings and state for it, all checked before.

    Pending calls are computed again for the new version; what was frozen for the old one is
    deleted. Changes that the new version does not ask for are dropped. Raises: see `lock_document`.
    """
    room = transaction.room
    state = await room_state(transaction.session, room.id)
    document = lock_document(transaction.services, room.app_id, wanted.target)
    before: JsonObject = {
        "lockId": room.lock_id,
        "version": room.app_manifest_version,
        "settings": room.app_settings,
        "state": dict(state_of(state)),
    }
    lock = RoomLockRow(
        id=new_id("lock"),
        room_id=room.id,
        lock=document,
        digest=digest(document),
        reason=wanted.reason,
        before=before,
        created_at=transaction.now,
    )
    transaction.session.add(lock)
    await _schedule_now(transaction, wanted.target)
    version_before = room.app_manifest_version
    room.lock_id, room.served_target = lock.id, None
    room.app_manifest_version = wanted.target.version
    transaction.manifest = wanted.target  # from here on the room is that version's
    transaction.touch()
    transaction.record(
        RoomVersionChanged(
            version_before=version_before,
            version_now=wanted.target.version,
            how=wanted.how,
            lock=lock.digest,
        )
    )
    _store_settings(transaction, wanted.settings)
    parts = changed_parts(state_of(state), wanted.state)
    if parts:
        await replace_state(transaction, {Level(name): part for name, part in parts.items()})
        for name in parts:
            flag_modified(state, name)
    await retry_now(transaction)
    transaction.audit(
        f"room.{wanted.reason}",
        subject=room.id,
        app=room.app_id,
        versionBefore=version_before,
        versionNow=room.app_manifest_version,
        how=wanted.how,
        lock=lock.digest,
    )
    return lock


def _store_settings(transaction: RoomTransaction, settings: JsonObject) -> None:
    """Store checked settings; they get a new version even if they are equal."""
    room = transaction.room
    changed = sorted(
        key
        for key in settings.keys() | room.app_settings.keys()
        if key not in settings
        or key not in room.app_settings
        or not same(settings[key], room.app_settings[key])
    )
    room.settings_version += 1
    if changed:
        room.app_settings = settings
        flag_modified(room, "app_settings")  # to Python, a 1 that becomes true is the same
        transaction.record(RoomUpdated(fields=tuple(f"appSettings/{key}" for key in changed)))
        transaction.changed(Change(kind=ChangeKind.SETTINGS, what="updated"))


async def _schedule_now(transaction: RoomTransaction, target: Manifest) -> None:
    """Delete what was frozen for the old version, and changes that the new one does not ask for."""
    await forget_room(transaction.session, transaction.room.id)
    rows = await transaction.session.execute(
        select(TimerRow.id, TimerRow.payload).where(
            TimerRow.room_id == transaction.room.id, TimerRow.space == TimerSpace.CHANGE
        )
    )
    unwanted = [row.id for row in rows if row.payload.get("kind") not in target.changes]
    for some in _chunks(unwanted):
        await forget(transaction.session, some)
        await transaction.session.execute(
            delete(TimerRow)
            .where(TimerRow.id.in_(some))
            .execution_options(synchronize_session=False)
        )


def _chunks(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE))
