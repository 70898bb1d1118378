"""Delete a remote app, unless rooms still depend on it."""

from datetime import datetime

from sqlalchemy import func, select

from mymozhem.auth.principal import Caller
from mymozhem.contract import RoomStatus
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.errors import Conflict, Forbidden
from mymozhem.registry import remote_apps
from mymozhem.rooms.tables.rooms import RoomRow

from .access import require_manager
from .audit import audited
from .services import AppServices, refresh_catalog

#: rooms that a refusal lists; the others are counted
MOST_LISTED = 100

_NOT_ENDED = (RoomStatus.DRAFT, RoomStatus.ACTIVE)


class AppInUse(Conflict):
    """Rooms of this app have not ended; `details.rooms` lists them."""

    default_code = "APP_IN_USE"


async def delete_app(
    services: AppServices, caller: Caller, app_id: str, *, force: bool = False
) -> datetime:
    """Delete a remote app, and return when: it is no longer offered; its rooms stay readable.

    While a room of it is DRAFT or ACTIVE, raises `AppInUse` with the rooms; an admin can `force`
    the deletion, and these rooms go on without their app. Raises `Forbidden`, also for `force` by
    others, `NotFound`, also at the second call, and `Conflict` APP_NOT_REMOTE.
    """
    is_admin = await require_manager(services, caller, app_id, "DELETE /apps/{appId}")
    if force and not is_admin:
        message = "Only administrators can delete an app while rooms use it."
        raise Forbidden(message)
    async with services.database.write(turn=app_id) as unit:
        await remote_apps.remote_row(unit.session, app_id)  # no room is made while it is locked
        count = await _require_unused(unit, app_id, force=force, is_admin=is_admin)
        await remote_apps.delete(unit, app_id)
        await audited(unit, caller, app_id, "app.delete", rooms=count)
        at = unit.now
    await refresh_catalog(services)
    return at


async def _require_unused(unit: UnitOfWork, app_id: str, *, force: bool, is_admin: bool) -> int:
    """Return how many rooms use the app; AppInUse if there are any, without `force`."""
    used = (
        RoomRow.app_id == app_id,
        RoomRow.status.in_(_NOT_ENDED),
        RoomRow.deleted_at.is_(None),
    )
    count = await unit.session.scalar(select(func.count()).select_from(RoomRow).where(*used)) or 0
    if not count or force:
        return count
    rows = await unit.session.execute(
        select(RoomRow.id, RoomRow.name, RoomRow.status)
        .where(*used)
        .order_by(RoomRow.id)
        .limit(MOST_LISTED)
    )
    listed = [{"id": row.id, "name": row.name, "status": row.status} for row in rows]
    rooms = "1 room of this app has" if count == 1 else f"{count} rooms of this app have"
    then = (
        "Let them end, or repeat the request with force=true: their actions, windows, draws and "
        "timers then go on without the app, by the host's fallbacks, and nothing can undo that."
        if is_admin
        else "Let them end first, or ask an administrator."
    )
    details = {"rooms": listed, "count": count, "force": is_admin}
    raise AppInUse(f"{rooms} not ended. {then}", details=details)
