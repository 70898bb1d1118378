"""The health of apps: figures of their calls, incidents, and their own reports."""

from pydantic import Field

from mymozhem.api.query_models import Id, Pages, paged
from mymozhem.api.request_parsing import Query
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.apps.health import app_health
from mymozhem.contract import JsonObject
from mymozhem.monitoring import operators
from mymozhem.monitoring.call_statistics import CallStatistics, Window
from mymozhem.monitoring.operators import list_call_statistics
from mymozhem.monitoring.queries import AlertFilter
from mymozhem.monitoring.tables import AlertRow, AppStatus, HealthCheckRow, RuleName, Severity
from mymozhem.rooms.views.base import Timestamp, View
from mymozhem.rooms.views.paging import ResultPage

from .admin import require_admin

routes = Routes("health", "The health of apps.")


class WindowQuery(Query):
    """The time span of the figures."""

    window: Window = Field(default="1h", description="The last hour, day or week.")


class AlertsQuery(Pages):
    """Incidents, open ones first."""

    open: bool | None = Field(
        default=None, description="Only open incidents, or only recovered ones."
    )
    app_id: Id | None = None


class FiguresView(View):
    """Figures of the calls of one app and capability.

    `successRate` (0 to 1) counts only calls that say something about the app, not those that an
    operator stopped. Durations are of calls that reached the app; null if there were none.
    """

    app_id: str
    capability: str
    versions: list[str]
    calls: int
    successes: int
    failures: int
    timeouts: int
    fallbacks: int
    success_rate: float | None
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    failure_codes: dict[str, int]


class WebhooksView(View):
    """Figures of all apps over the same time span."""

    window: Window
    calls: list[FiguresView]


class SuffererView(View):
    """A room that an incident affects."""

    id: str
    name: str


class AlertView(View):
    """An incident: what failed, which rooms are affected, what to do.

    `rooms` are some of the `roomCount` active rooms of the app when it began or got worse.
    `recoveredAt` is null while it is open.
    """

    id: str
    rule: RuleName
    severity: Severity
    app_id: str | None
    version: str | None
    capability: str | None
    code: str | None
    summary: str
    advice: str
    rooms: list[SuffererView]
    room_count: int
    opened_at: Timestamp
    recovered_at: Timestamp | None
    acknowledged_at: Timestamp | None
    acknowledged_by: str | None


class CheckView(View):
    """The health that a version of an app reports, and since when."""

    version: str
    status: AppStatus
    details: JsonObject
    since: Timestamp
    checked_at: Timestamp
    failures_in_a_row: int


class AppHealthView(View):
    """The health of one app: its last health checks, its calls, its open incidents."""

    app_id: str
    window: Window
    checks: list[CheckView]
    calls: list[FiguresView]
    alerts: list[AlertView]


@routes.add("GET /admin/webhooks")
async def list_webhooks(context: RequestContext, query: WindowQuery) -> WebhooksView:
    """Return the figures of every app's calls, by capability."""
    await require_admin(context, "GET /admin/webhooks")
    services = context.services
    found = await list_call_statistics(services.database, query.window, services.clock.now())
    return WebhooksView(window=query.window, calls=[_figures(each) for each in found])


@routes.add("GET /admin/alerts")
async def list_alerts(context: RequestContext, query: AlertsQuery) -> Page[AlertView]:
    """List incidents: open ones first, then newest first."""
    await require_admin(context, "GET /admin/alerts")
    wanted, part = AlertFilter(query.open, query.app_id), query.part
    rows, total = await operators.list_alerts(
        context.services.database, wanted, offset=part.offset, limit=part.limit
    )
    return paged(ResultPage([_alert(row) for row in rows], total), query)


@routes.add("POST /admin/alerts/{id}/acknowledge")
async def acknowledge_alert(context: RequestContext, id: str) -> AlertView:
    """Record that the caller takes care of an incident; the first one stays."""
    await require_admin(context, "POST /admin/alerts/{id}/acknowledge")
    database, user_id = context.services.database, context.caller.user_id
    return _alert(await operators.acknowledge_alert(database, id, user_id=user_id))


@routes.add("GET /apps/{appId}/health")
async def get_app_health(context: RequestContext, app_id: str, query: WindowQuery) -> AppHealthView:
    """Return the health of one app, to its owner and to admins."""
    found = await app_health(
        context.services, context.caller, app_id, query.window, clock=context.services.clock
    )
    return AppHealthView(
        app_id=app_id,
        window=query.window,
        checks=[_check(row) for row in found.checks],
        calls=[_figures(each) for each in found.calls],
        alerts=[_alert(row) for row in found.alerts],
    )


def _figures(found: CallStatistics) -> FiguresView:
    return FiguresView(
        app_id=found.app_id,
        capability=found.capability,
        versions=list(found.versions),
        calls=found.calls,
        successes=found.successes,
        failures=found.failures,
        timeouts=found.timeouts,
        fallbacks=found.fallbacks,
        success_rate=found.success_rate,
        mean_ms=found.spread.mean_ms,
        p50_ms=found.spread.p50_ms,
        p95_ms=found.spread.p95_ms,
        p99_ms=found.spread.p99_ms,
        failure_codes=dict(found.codes),
    )


def _alert(row: AlertRow) -> AlertView:
    return AlertView(
        id=row.id,
        rule=row.rule,
        severity=row.severity,
        app_id=row.app_id,
        version=row.version,
        capability=row.capability,
        code=row.code,
        summary=row.summary,
        advice=row.advice,
        rooms=[SuffererView.model_validate(room) for room in row.rooms],
        room_count=row.room_count,
        opened_at=row.opened_at,
        recovered_at=row.recovered_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )


def _check(row: HealthCheckRow) -> CheckView:
    return CheckView(
        version=row.version,
        status=row.status,
        details=row.details,
        since=row.since,
        checked_at=row.checked_at,
        failures_in_a_row=row.failures_in_a_row,
    )
