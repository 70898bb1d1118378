"""Delete a remote app."""

from datetime import datetime

from mymozhem.auth.principal import Caller
from mymozhem.registry import remote_apps

from .access import require_manager
from .audit import audited
from .services import AppServices, refresh_catalog


async def delete_app(services: AppServices, caller: Caller, app_id: str) -> datetime:
    """Delete a remote app, and return when: it is no longer offered; its rooms stay readable.

    Raises `Forbidden`, `NotFound`, also at the second call, and `Conflict` APP_NOT_REMOTE.
    """
    await require_manager(services, caller, app_id, "DELETE /apps/{appId}")
    async with services.database.write(turn=app_id) as unit:
        await remote_apps.delete(unit, app_id)
        await audited(unit, caller, app_id, "app.delete")
        at = unit.now
    await refresh_catalog(services)
    return at
