"""Access control inside a room: membership checked against the access table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.access_rules import OF_ROLE, Access
from mymozhem.auth.access_table import check, rule_for
from mymozhem.auth.principal import Principal
from mymozhem.contract import Role

from .membership import Membership, find_membership, require_role
from .services import Services
from .transaction import RoomTransaction, room_transaction


@cache
def roles_of(endpoint: str) -> frozenset[Role]:
    """Return the roles that the access table names for an endpoint (`GET /rooms/{id}/prizes`)."""
    callers = rule_for(endpoint).callers
    return frozenset(role for role, access in OF_ROLE.items() if access in callers)


async def membership_for(
    session: AsyncSession, room_id: str, caller: Principal | None, endpoint: str
) -> Membership:
    """Return the caller's membership if the access table admits their role.

    The role is None for strangers to a public room, if the table admits them. Raises: see
    `require_role`.
    """
    rule = rule_for(endpoint)
    if Access.OUTSIDER not in rule.callers:
        return await require_role(session, room_id, caller, roles=roles_of(endpoint))
    membership = await find_membership(session, room_id, caller)
    check(rule, caller, membership.role, public=membership.room.is_public)
    return membership


async def membership_by(
    session: AsyncSession,
    room_id: str,
    caller: Principal | None,
    participant_id: str,
    endpoint: str,
) -> Membership:
    """Return the caller's membership if the access table admits them, also as that participant."""
    membership = await find_membership(session, room_id, caller)
    own = membership.participant is not None and membership.participant.id == participant_id
    check(rule_for(endpoint), caller, membership.role, own=own, public=membership.room.is_public)
    return membership


@asynccontextmanager
async def read_as(
    services: Services, room_id: str, caller: Principal | None, endpoint: str
) -> AsyncIterator[tuple[AsyncSession, Membership]]:
    """Yield a session and the caller's membership if the access table admits their role."""
    async with services.database.read() as session:
        yield session, await membership_for(session, room_id, caller, endpoint)


@asynccontextmanager
async def write_as(
    services: Services, room_id: str, caller: Principal, endpoint: str
) -> AsyncIterator[RoomTransaction]:
    """Open a transaction on the room if the access table admits the caller's role."""
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        await membership_for(transaction.session, room_id, caller, endpoint)
        yield transaction
