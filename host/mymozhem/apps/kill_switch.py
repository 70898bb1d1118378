"""Stop an app, and start it again."""

from mymozhem.auth.principal import Caller
from mymozhem.registry import kill_switch

from .access import require_manager
from .audit import audited
from .services import AppServices


async def stop_app(services: AppServices, caller: Caller, app_id: str, reason: str) -> bool:
    """Stop an app, remote or installed: it is no longer called, and its tokens are rejected.

    Return whether that changed anything. When this returns, this process does not call it any more.
    Raises `Forbidden`, `NotFound`, and `Unavailable` if the catalog cannot be read.
    """
    await require_manager(services, caller, app_id, "POST /admin/apps/{appId}/stop")
    async with services.database.write(turn=app_id) as unit:
        changed = await kill_switch.stop(unit, app_id, reason)
        await audited(unit, caller, app_id, "app.stop", reason=reason)
    await services.catalog.refresh()
    return changed


async def start_app(services: AppServices, caller: Caller, app_id: str) -> bool:
    """Start a stopped app, so that it may be called again; return whether that changed anything.

    Raises what `stop_app` raises.
    """
    await require_manager(services, caller, app_id, "POST /admin/apps/{appId}/start")
    async with services.database.write(turn=app_id) as unit:
        changed = await kill_switch.start(unit, app_id)
        await audited(unit, caller, app_id, "app.start")
    await services.catalog.refresh()
    return changed
