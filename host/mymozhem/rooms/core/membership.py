"""Membership: a caller's role in a room, from one query for room, participant and admin flag."""

from dataclasses import dataclass

from sqlalchemy import Select, and_, select
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
    if membership is None or not (
        membership.role or membership.participant or membership.room.is_public
    ):
        raise room_not_found()
    if membership.role in STAFF:
        require_known(caller)
    return membership


async def require_role(
    session: AsyncSession, room_id: str, caller: Principal | None, *, roles: frozenset[Role]
) -> Membership:
    """Return the caller's membership; Forbidden if their role is not in `roles`."""
    membership = await find_membership(session, room_id, caller)
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
    if caller is None or caller.room_id not in (None, room_id):
        found = await session.scalar(
            select(RoomRow).where(RoomRow.id == room_id, RoomRow.deleted_at.is_(None))
        )
        return Membership(found, None, PersonKind.GUEST, None, None) if found else None
    row = (await session.execute(_memberships(caller.user_id).where(RoomRow.id == room_id))).first()
    if row is None:
        return None
    room, participant, person_id, is_admin = row
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


def _memberships(user_id: str) -> Select[RoomRow, ParticipantRow | None, str | None, bool | None]:
    mine = and_(ParticipantRow.room_id == RoomRow.id, ParticipantRow.user_id == user_id)
    me = and_(UserRow.id == user_id, UserRow.deleted_at.is_(None))
    return (
        select(RoomRow, ParticipantRow, UserRow.id, UserRow.is_admin)
        .outerjoin(ParticipantRow, mine)
        .outerjoin(UserRow, me)
        .where(RoomRow.deleted_at.is_(None))
    )
