"""Membership: a caller's role in a room, from one query for room, participant and admin flag."""

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.access_rules import require_known
from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import Level, ParticipantStatus, PersonKind, Role
from mymozhem.errors import Forbidden, NotFound, Unauthenticated
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow

ORGANIZERS = frozenset({Role.ADMIN, Role.ORGANIZER})
STAFF = ORGANIZERS | {Role.MODERATOR}
PLAYERS_AND_STAFF = STAFF | {Role.PARTICIPANT}
MEMBERS = PLAYERS_AND_STAFF | {Role.VIEWER}

# Built once: to build a statement costs as much as to run it.
_ROOM = select(RoomRow).where(RoomRow.id == bindparam("in_room"), RoomRow.deleted_at.is_(None))
#: joined to the room or its state, whose id is given
CALLER = and_(
    ParticipantRow.room_id == bindparam("in_room"), ParticipantRow.user_id == bindparam("caller")
)
PERSON = and_(UserRow.id == bindparam("caller"), UserRow.deleted_at.is_(None))
_MEMBERSHIP = (
    select(RoomRow, ParticipantRow, UserRow.id, UserRow.is_admin)
    .select_from(RoomRow)
    .outerjoin(ParticipantRow, CALLER)
    .outerjoin(UserRow, PERSON)
    .where(RoomRow.id == bindparam("in_room"), RoomRow.deleted_at.is_(None))
)


@dataclass(frozen=True)
class Membership:
    """A caller in a room.

    `role` is None for a caller who is not (or not yet, or no longer) a member. `participant` is
    their row in the room, whatever its status.
    """

    room: RoomRow
    user_id: str | None
    kind: PersonKind
    role: Role | None
    participant: ParticipantRow | None

    @property
    def level(self) -> Level:
        """The visibility level of the caller."""
        return Level.ORGANIZER if self.role in STAFF else Level.PUBLIC

    @property
    def own_role(self) -> Role | None:
        """The role of the caller's own row; being an administrator gives none."""
        if self.role is not Role.ADMIN:
            return self.role
        return role_of(self.participant, is_admin=False)

    @property
    def participant_id(self) -> str | None:
        """The id of the caller's row, which also names their stream; None without a row."""
        return self.participant.id if self.participant and self.role is not None else None


async def find_membership(
    session: AsyncSession, room_id: str, caller: Principal | None
) -> Membership:
    """Return the caller's membership in a room.

    Raises NotFound if the room does not exist or its existence is hidden from the caller,
    Unauthenticated if the caller was deleted since they signed in, and `RevocationsUnknown` for
    staff who write while nobody knows whether their token was revoked.
    """
    membership = await _membership(session, room_id, caller)
    if membership is None:
        raise room_not_found()
    return require_visible(membership, caller)


def require_visible(membership: Membership, caller: Principal | None) -> Membership:
    """Return a membership that was read; raises what `find_membership` raises about it."""
    if not (membership.role or membership.participant or membership.room.is_public):
        raise room_not_found()
    if membership.role in STAFF:
        require_known(caller)
    return membership


async def require_role(
    session: AsyncSession, room_id: str, caller: Principal | None, *, roles: frozenset[Role]
) -> Membership:
    """Return the caller's membership; Forbidden if their role is not in `roles`."""
    return with_role(await find_membership(session, room_id, caller), caller, roles=roles)


def with_role(
    membership: Membership, caller: Principal | None, *, roles: frozenset[Role]
) -> Membership:
    """Return a caller's membership; Forbidden if their role is not in `roles`."""
    if membership.role in roles:
        return membership
    if caller is None:
        raise Unauthenticated
    raise Forbidden


def room_not_found() -> NotFound:
    """Return the error that does not disclose whether a room exists."""
    return NotFound("There is no such room.", code="ROOM_NOT_FOUND")


async def _membership(
    session: AsyncSession, room_id: str, caller: Principal | None
) -> Membership | None:
    if caller is None or not is_for(caller, room_id):
        found = await session.scalar(_ROOM, {"in_room": room_id})
        return stranger(found) if found else None
    given = {"in_room": room_id, "caller": caller.user_id}
    row = (await session.execute(_MEMBERSHIP, given)).first()
    return membership_of(caller, *row) if row is not None else None


def is_for(caller: Principal, room_id: str) -> bool:
    """Return whether a caller's token is for every room, or for this one."""
    return caller.room_id in (None, room_id)


def stranger(room: RoomRow) -> Membership:
    """Return the membership of a caller without a token for the room."""
    return Membership(room, None, PersonKind.GUEST, None, None)


def membership_of(
    caller: Principal,
    room: RoomRow,
    participant: ParticipantRow | None,
    person_id: str | None,
    is_admin: bool | None,  # noqa: FBT001  a column
) -> Membership:
    """Return the membership that these columns say; Unauthenticated if the person is deleted."""
    if person_id is None:
        raise Unauthenticated("This account does not exist any more.", code="TOKEN_INVALID")
    return Membership(
        room, caller.user_id, caller.kind, role_of(participant, is_admin), participant
    )


def role_of(participant: ParticipantRow | None, is_admin: bool | None) -> Role | None:  # noqa: FBT001  a column
    """Return the effective role: administrators everywhere, others only while active."""
    if is_admin:
        return Role.ADMIN
    if participant is None or participant.status != ParticipantStatus.ACTIVE:
        return None
    return participant.role
