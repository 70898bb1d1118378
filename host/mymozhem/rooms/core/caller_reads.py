"""Read what the exchange of one caller needs in one statement: before the call, under the lock."""

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import Level, Role
from mymozhem.rooms.tables.events import RoomStreamRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow

from .membership import (
    CALLER,
    PERSON,
    Membership,
    is_for,
    membership_of,
    require_role,
    require_visible,
    room_not_found,
    with_role,
)
from .revision import keep_state
from .transaction import RoomTransaction

_OWN, _PUBLIC, _ORGANIZER = (aliased(RoomStreamRow) for _ in range(3))

# Built once: to build a statement costs as much as to run it.
_BEFORE = (
    select(RoomRow, ParticipantRow, UserRow.id, UserRow.is_admin, RoomStateRow)
    .select_from(RoomRow)
    .join(RoomStateRow, RoomStateRow.room_id == RoomRow.id)
    .outerjoin(ParticipantRow, CALLER)
    .outerjoin(UserRow, PERSON)
    .where(RoomRow.id == bindparam("in_room"), RoomRow.deleted_at.is_(None))
)
_NOW = (
    select(
        ParticipantRow,
        UserRow.id,
        UserRow.is_admin,
        RoomStateRow,
        _PUBLIC.last_no,
        _ORGANIZER.last_no,
        _OWN.last_no,
    )
    .select_from(RoomStateRow)
    .outerjoin(ParticipantRow, CALLER)
    .outerjoin(UserRow, PERSON)
    .outerjoin(
        _PUBLIC, (_PUBLIC.room_id == bindparam("in_room")) & (_PUBLIC.stream == Level.PUBLIC)
    )
    .outerjoin(
        _ORGANIZER,
        (_ORGANIZER.room_id == bindparam("in_room")) & (_ORGANIZER.stream == Level.ORGANIZER),
    )
    .outerjoin(_OWN, (_OWN.room_id == bindparam("in_room")) & (_OWN.stream == ParticipantRow.id))
    .where(RoomStateRow.room_id == bindparam("in_room"))
)


async def read_caller(
    session: AsyncSession, room_id: str, caller: Principal, *, roles: frozenset[Role]
) -> Membership:
    """Do as `require_role`, and read the room's state with it, for `room_state`."""
    if not is_for(caller, room_id):
        return await require_role(session, room_id, caller, roles=roles)
    given = {"in_room": room_id, "caller": caller.user_id}
    row = (await session.execute(_BEFORE, given)).first()
    if row is None:
        raise room_not_found()
    room, participant, person_id, is_admin, state = row
    keep_state(session, state)
    membership = membership_of(caller, room, participant, person_id, is_admin)
    return with_role(require_visible(membership, caller), caller, roles=roles)


async def read_caller_now(
    transaction: RoomTransaction, caller: Principal, *, roles: frozenset[Role]
) -> Membership:
    """Do as `read_caller` in a transaction, and read the ends of the caller's streams as well.

    Only after the room was locked: on PostgreSQL, a statement that waits for the lock would see the
    other tables as they were before.
    """
    session, room = transaction.session, transaction.room
    if not is_for(caller, room.id):
        return await require_role(session, room.id, caller, roles=roles)
    given = {"in_room": room.id, "caller": caller.user_id}
    row = (await session.execute(_NOW, given)).one()
    participant, person_id, is_admin, state, public, organizer, own = row
    keep_state(session, state)
    membership = membership_of(caller, room, participant, person_id, is_admin)
    ends = {str(Level.PUBLIC): public, str(Level.ORGANIZER): organizer}
    if membership.participant is not None:
        ends[membership.participant.id] = own
    transaction.know_ends(ends)
    return with_role(require_visible(membership, caller), caller, roles=roles)
