"""The health of one app, for its owner and for admins."""

from collections.abc import Sequence
from dataclasses import dataclass

from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock
from mymozhem.monitoring.call_statistics import CallStatistics, Window, call_statistics
from mymozhem.monitoring.queries import AlertFilter, alerts, checks_of
from mymozhem.monitoring.tables import AlertRow, HealthCheckRow

from .access import check_manager, find_manager
from .services import AppServices

#: open alerts that an app's health shows
OPEN_ALERTS = 100


@dataclass(frozen=True)
class AppHealth:
    """The last health checks of an app, its calls, and its open alerts."""

    checks: Sequence[HealthCheckRow]
    calls: Sequence[CallStatistics]
    alerts: Sequence[AlertRow]


async def app_health(
    services: AppServices, caller: Principal, app_id: str, window: Window, *, clock: Clock
) -> AppHealth:
    """Return the health of one app; raises `Forbidden`, `NotFound`."""
    async with services.database.read() as session:
        manager = await find_manager(session, caller, app_id)
        check_manager(manager, caller, "GET /apps/{appId}/health")
        open_now = AlertFilter(is_open=True, app_id=app_id)
        current, _ = await alerts(session, open_now, offset=0, limit=OPEN_ALERTS)
        return AppHealth(
            checks=await checks_of(session, app_id),
            calls=await call_statistics(session, window, clock.now(), app_id=app_id),
            alerts=current,
        )
