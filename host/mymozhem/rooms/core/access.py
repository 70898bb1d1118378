"""The table of access, asked inside a room: who may read it, who may write in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.access_rules import OF_ROLE
from mymozhem.auth.access_table import check, rule_for
from mymozhem.auth.principal import Principal
from mymozhem.contract import Role

from .membership import Seat, find_seat, require_seat
from .services import Services
from .transaction import RoomWriter, write_room


@cache
def roles_of(endpoint: str) -> frozenset[Role]:
    """Return the roles that the row of an endpoint names, such as `GET /rooms/{id}/prizes`."""
    callers = rule_for(endpoint).callers
    return frozenset(role for role, access in OF_ROLE.items() if access in callers)


async def seat_for(
    session: AsyncSession, room_id: str, caller: Principal | None, endpoint: str
) -> Seat:
    """Return the caller's seat where the table lets their role in; raises as `require_seat`."""
    return await require_seat(session, room_id, caller, roles=roles_of(endpoint))


async def seat_by(
    session: AsyncSession,
    room_id: str,
    caller: Principal | None,
    participant_id: str,
    endpoint: str,
) -> Seat:
    """Return the caller's seat where the table lets them in, be it for being that participant."""
    seat = await find_seat(session, room_id, caller)
    own = seat.participant is not None and seat.participant.id == participant_id
    check(rule_for(endpoint), caller, seat.role, own=own, public=seat.room.is_public)
    return seat


@asynccontextmanager
async def write_as(
    services: Services, room_id: str, caller: Principal, endpoint: str
) -> AsyncIterator[RoomWriter]:
    """Hand out a writer on a locked room where the table lets the caller's role in."""
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        await seat_for(writer.session, room_id, caller, endpoint)
        yield writer
