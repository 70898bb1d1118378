"""The revision that an app's result was computed from: if it changed, the result is stale."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import Role
from mymozhem.errors import MymozhemError
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow

from .membership import Membership


class RoomChanged(MymozhemError):
    """The room has changed since you read it; read it again."""

    status = 412
    default_code = "ROOM_CHANGED"


class StaleSnapshot(Exception):
    """The room changed after the snapshot was taken; nothing was written. Take a new one."""


@dataclass(frozen=True)
class Revision:
    """What a result was computed from; if it changed in the meantime, the app is called again."""

    status: str
    lock_id: str
    settings_version: int
    state_version: int
    actor: tuple[Role, str] | None


async def room_state(session: AsyncSession, room_id: str) -> RoomStateRow:
    """Return the room's state, read once per session; every room has one from its creation on.

    A session that writes has locked the room first, so nobody else changes what it has read.
    """
    known: RoomStateRow | None = session.info.get((RoomStateRow, room_id))
    if known is not None:
        return known
    state = await session.get_one(RoomStateRow, room_id)
    keep_state(session, state)
    return state


def keep_state(session: AsyncSession, state: RoomStateRow) -> None:
    """Keep a room's state that was read with something else, for `room_state`."""
    session.info[RoomStateRow, state.room_id] = state


async def revision(session: AsyncSession, room: RoomRow, membership: Membership | None) -> Revision:
    """Return the current revision of a room for a caller."""
    state = await room_state(session, room.id)
    actor = None
    if membership is not None and membership.role is not None:
        actor = (membership.role, membership.participant.status if membership.participant else "")
    return Revision(room.status, room.lock_id, room.settings_version, state.version, actor)
