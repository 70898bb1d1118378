"""Find a room by its join code. Concurrent lookups of the same code share one query."""

from collections.abc import Collection, Sequence
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract.hooks import REGISTER_PARTICIPANT
from mymozhem.errors import NotFound
from mymozhem.rooms.coordination.join_batches import FoundRoom
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.join_code import is_short_code, normal_code
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow


async def find_room_by_code(services: Services, code: str, caller: Principal | None) -> FoundRoom:
    """Return the room with this code; NotFound for a wrong code, whatever exists.

    The result was read after this call began, so it is never older than the request.
    """
    code = normal_code(code)
    user_id = caller.user_id if caller else None
    return await services.room_lookups.submit(code, user_id, partial(_find, services, code))


async def _find(
    services: Services, code: str, user_ids: Sequence[str | None]
) -> dict[str | None, FoundRoom]:
    users = {user_id for user_id in user_ids if user_id is not None}
    async with services.database.read() as session:
        room = await _room_by_code(session, code)
        manifest = services.catalog.manifest(room.app_id, room.app_manifest_version)
        context = await build_context(
            session,
            services,
            room,
            manifest,
            hook=REGISTER_PARTICIPANT,
            now=services.clock.now(),
        )
        people = await _people(session, users)
        rows = await rows_of(session, room.id, users)
    return {
        each: FoundRoom(room, manifest, context, people.get(each or ""), rows.get(each or ""))
        for each in user_ids
    }


async def rows_of(
    session: AsyncSession, room_id: str, users: Collection[str]
) -> dict[str, ParticipantRow]:
    """Return people's rows in a room, by person id; no query for no people."""
    if not users:
        return {}
    found = await session.scalars(
        select(ParticipantRow).where(
            ParticipantRow.room_id == room_id, ParticipantRow.user_id.in_(users)
        )
    )
    return {row.user_id: row for row in found}


async def _room_by_code(session: AsyncSession, code: str) -> RoomRow:
    column = RoomRow.short_code if is_short_code(code) else RoomRow.code
    room = await session.scalar(select(RoomRow).where(column == code, RoomRow.deleted_at.is_(None)))
    if room is None:
        message = "There is no room with this code."
        raise NotFound(message, code="CODE_UNKNOWN")
    return room


async def _people(session: AsyncSession, users: Collection[str]) -> dict[str, UserRow]:
    if not users:
        return {}
    found = await session.scalars(
        select(UserRow).where(UserRow.id.in_(users), UserRow.deleted_at.is_(None))
    )
    return {person.id: person for person in found}
