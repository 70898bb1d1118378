"""Enable an installed app, and disable it: it runs inside the host, from the next start on.

Only the operator at the command line does this, so there is no caller to check.
"""

from mymozhem.errors import NotFound
from mymozhem.registry import discovery, manifest_history
from mymozhem.registry.remote_apps import remote_addresses

from .services import AppServices


async def enable_app(services: AppServices, app_id: str) -> bool:
    """Let an installed app run inside the host; return whether that changed anything.

    Its code is then trusted like the host itself. Raises `NotFound` if no installed package
    provides the app.
    """
    installed = discovery.by_id(discovery.discover())
    if app_id not in installed:
        names = ", ".join(installed) or "none"
        raise NotFound(f"No installed package provides {app_id!r} (installed: {names}).")
    async with services.database.write(turn=app_id) as unit:
        return await manifest_history.set_active(unit, app_id, is_active=True)


async def disable_app(services: AppServices, app_id: str) -> bool:
    """Keep an app from running; its rooms stay readable. Return whether that changed anything.

    Raises `NotFound` unless the app is installed, or enabled although no package provides it.
    """
    async with services.database.read() as session:
        active = await manifest_history.active_plugins(session)
        remote = await remote_addresses(session)
    known = {*discovery.by_id(discovery.discover()), *active, *services.settings.enable_apps}
    if app_id not in known - set(remote):
        raise NotFound(f"There is no app {app_id!r}; see `mymozhem apps list`.")
    async with services.database.write(turn=app_id) as unit:
        return await manifest_history.set_active(unit, app_id, is_active=False)
