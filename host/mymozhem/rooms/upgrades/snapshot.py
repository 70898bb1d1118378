"""A snapshot of a room before it is moved."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import Role
from mymozhem.errors import NotFound
from mymozhem.manifests.model import Manifest
from mymozhem.registry.manifest_history import Published
from mymozhem.registry.snapshot import CatalogApp
from mymozhem.rooms.app_settings.update import stored_settings
from mymozhem.rooms.core.membership import ORGANIZERS, Membership, require_role
from mymozhem.rooms.core.revision import Revision, revision, room_state
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.rooms import RoomRow

from . import preconditions
from .apply import state_of
from .migrate import CurrentRoom


@dataclass(frozen=True)
class RoomSnapshot:
    """A room with its app and its lock; `source` is its current version.

    `under_way` is what is in progress in the room. `by_other` is true if the caller is an
    administrator and not an organizer of this room.
    """

    room: RoomRow
    app: CatalogApp
    source: Manifest
    had: CurrentRoom
    lock: RoomLockRow
    revision: Revision
    under_way: tuple[str, ...]
    by_other: bool


async def take_snapshot(services: Services, room_id: str, caller: Principal) -> RoomSnapshot:
    """Read a room for one of its organizers. Raises: see `require_role`.

    Raises NotFound if its app was deleted, or is not known to this process yet.
    """
    async with services.database.read() as session:
        membership = await organizer(session, room_id, caller)
        room = membership.room
        lock = await session.get_one(RoomLockRow, room.lock_id)
        state = await room_state(session, room.id)
        seen = await revision(session, room, membership)
        under_way = await preconditions.under_way(session, room.id)
    catalog = services.catalog
    source = catalog.manifest(room.app_id, room.app_manifest_version)
    return RoomSnapshot(
        room=room,
        app=catalog.get(room.app_id),
        source=source,
        had=CurrentRoom(stored_settings(source, room), state_of(state)),
        lock=lock,
        revision=seen,
        under_way=under_way,
        by_other=membership.own_role is not Role.ORGANIZER,
    )


async def organizer(session: AsyncSession, room_id: str, caller: Principal) -> Membership:
    """Return the membership of a caller who may move a room. Raises: see `require_role`."""
    return await require_role(session, room_id, caller, roles=ORGANIZERS)


def find_version(app: CatalogApp, version: str) -> Published:
    """Return a published version of an app; NotFound if there is none."""
    for each in app.versions:
        if each.manifest.version == version:
            return each
    message = f"{app.app_id} has no version {version}."
    raise NotFound(message, code="VERSION_NOT_FOUND")
