"""Deprecate a version of an app, or lift its deprecation."""

from dataclasses import dataclass
from datetime import datetime

from mymozhem.auth.principal import Caller
from mymozhem.registry import manifest_history
from mymozhem.registry.manifest_history import Published
from mymozhem.rooms.notifications import deprecation

from .access import require_manager
from .audit import audited
from .services import AppServices, refresh_catalog


@dataclass(frozen=True)
class Deprecated:
    """A version as it is now, and how many organizers were notified of the change."""

    version: Published
    notified: int


async def deprecate_version(
    services: AppServices,
    caller: Caller,
    app_id: str,
    version: str,
    *,
    reason: str,
    deadline: datetime | None,
    lift: bool,
) -> Deprecated:
    """Stop offering a version to new rooms, or with `lift` offer it again, and notify organizers.

    Rooms keep the version that they are locked to. Idempotent: a repeated call notifies nobody.
    The notices are written part by part; if the process dies meanwhile, the job sends the rest.
    Raises `Forbidden`, `NotFound` if there is no such app or version.
    """
    await require_manager(services, caller, app_id, "POST /apps/{appId}/deprecate-version")
    notified, parts = 0, list[str]()
    async with services.database.write(turn=app_id) as unit:
        if lift:
            published, changed = await manifest_history.lift_deprecation(unit, app_id, version)
        else:
            published, changed = await manifest_history.deprecate(
                unit, app_id, version, reason=reason, deadline=deadline
            )
        if changed:
            notified, parts = await deprecation.plan_notices(unit, published)
        details = {"version": version, "reason": reason, "lifted": lift, "told": notified}
        await audited(unit, caller, app_id, "app.deprecate", **details)
    await deprecation.send(services.database, parts)
    await refresh_catalog(services)
    return Deprecated(published, notified)
