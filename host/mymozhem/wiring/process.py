"""The parts of every process of the platform, with a web server or without one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from mymozhem.auth.keys import Keys
from mymozhem.clock import Clock
from mymozhem.concurrency.background_tasks import BackgroundTasks
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.deliveries.relay import Relay
from mymozhem.dispatch import blocked_app
from mymozhem.dispatch.breakers.breaker import BreakerStatus, Change
from mymozhem.dispatch.breakers.registry import Breakers
from mymozhem.dispatch.breakers.shared_state import SharedBreakerState
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.observers import CallObservers
from mymozhem.dispatch.stored_lists import StoredLists
from mymozhem.dispatch.transports.app_executor import AppExecutor
from mymozhem.dispatch.transports.base import AppTarget
from mymozhem.dispatch.transports.isolated import IsolatedTransport
from mymozhem.dispatch.transports.webhook.transport import WebhookTransport
from mymozhem.isolation.pool import Workers
from mymozhem.monitoring.call_counts import CallCounts
from mymozhem.monitoring.loop import HealthLoop
from mymozhem.observability.call_observer import AppReport, Observers
from mymozhem.observability.metrics import Metrics
from mymozhem.outbound import Outbound, load_client
from mymozhem.outbound.guard import Guard
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.catalog_source import Source
from mymozhem.registry.catalog_watch import CatalogWatch
from mymozhem.registry.isolated.os_user import shared_user
from mymozhem.registry.kill_switch import disable
from mymozhem.rooms.app_calls.late_answers import LateAnswers
from mymozhem.rooms.app_calls.recovery import AppRecovery
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.jobs.cleanup import Cleaner
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.locks.drift import Drifts
from mymozhem.rooms.locks.reconciler import LockReconciler
from mymozhem.wiring.deliveries import relay_of
from mymozhem.wiring.monitoring import health_loop
from mymozhem.wiring.warm_up import warm_up

#: apps that are disabled concurrently, because they say that they are gone
GOING_AT_ONCE = 8

logger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Parts:
    """The parts of a process; none of the background tasks is started."""

    services: Services
    metrics: Metrics
    late: LateAnswers
    openings: SharedBreakerState
    jobs: Jobs
    relay: Relay
    watch: CatalogWatch
    health: HealthLoop
    sweeper: Cleaner
    keeper: LockReconciler
    workers: Workers
    warming: BackgroundTasks

    def start(self) -> None:
        """Start all background tasks: draws, timers, windows, deliveries, checks, locks."""
        self.jobs.start()
        self.relay.start()
        self.health.start()
        self.sweeper.start()
        self.keeper.start()
        self.follow()
        self.warming.run(warm_up)

    def carry(self) -> None:
        """Start to send deliveries, and to count their calls; all else is left to hosts."""
        self.relay.start()
        self.health.start_counting()
        self.follow()
        self.warming.run(warm_up)

    def follow(self) -> None:
        """Start to follow what other processes change: apps and breakers."""
        self.watch.start()
        self.openings.start()


@asynccontextmanager
async def open_parts(
    settings: Settings, clock: Clock, *, catalog: Catalog | None = None, exclusive: bool = True
) -> AsyncIterator[Parts]:
    """Open everything in order, and close it in reverse order, even if opening fails half-way.

    The database must be at the newest schema. A given `catalog` replaces the installed plugins.
    With `exclusive`, a SQLite file is locked for this process. Raises `Unavailable` while the
    database is unreachable, `AlreadyRunning` if another process has the file.
    """
    # Apps cannot use up the threads that the host's own work needs.
    asyncio.get_running_loop().set_default_executor(AppExecutor())
    async with AsyncExitStack() as stack:
        database = Database(settings.effective_database_url, clock=clock)
        await database.open(exclusive=exclusive)
        stack.push_async_callback(database.close)
        keys = Keys.load(settings)
        apps = await _catalog(catalog, database, settings, keys)
        _warn_of_shared_user(apps)
        if apps.calls_over_http():
            await load_client()  # or the first calls would lose time by it
        metrics, counts = Metrics(), CallCounts(clock)
        metrics.before_scrape(lambda: metrics.pools(database.connections_in_use()))
        late, recovery, drifts = LateAnswers(), AppRecovery(), Drifts()
        going = BackgroundTasks("apps that are gone", limit=GOING_AT_ONCE)
        openings = SharedBreakerState(database, clock)
        breakers = Breakers(clock, openings=openings)
        _open_breakers_of_blocked_app(settings, breakers, apps, counts)
        workers = Workers(settings)
        stack.push_async_callback(workers.close)
        dispatcher = Dispatcher(
            apps,
            clock,
            settings,
            remote=_webhooks(apps, database, keys, clock, settings),
            isolated=IsolatedTransport(apps, workers),
            breakers=breakers,
            observers=CallObservers(
                observer=Observers(metrics, counts, recovery),
                late=late,
                drifts=drifts,
                gone=lambda app: _gone(going, database, apps, app),
                reports=counts.reported,
            ),
        )
        stack.push_async_callback(dispatcher.close)
        stack.push_async_callback(openings.stop)
        services = Services(
            database, apps, dispatcher, keys, clock, settings, breakers=breakers,
            report_app=counts.reported,
        )  # fmt: skip
        for writing in (services.imports, services.results):  # the next process writes the rest
            stack.push_async_callback(writing.close)
        back = BackgroundTasks("deliveries of apps that are back", limit=GOING_AT_ONCE)
        returning = _Back(services, recovery, back)
        breakers.listen(returning)
        apps.when_back(returning.on_app_back)
        for tasks in (going, back):
            stack.push_async_callback(tasks.close)
        for listener in (late, drifts, recovery):
            await listener.open(services)
            stack.push_async_callback(listener.close)
        keeper, jobs = LockReconciler(services), Jobs(services)
        parts = Parts(
            services=services,
            metrics=metrics,
            late=late,
            openings=openings,
            jobs=jobs,
            relay=relay_of(services),
            watch=CatalogWatch(apps),
            health=health_loop(services, metrics, counts, keeper.orphans, jobs.clock_jumps.since),
            sweeper=Cleaner(services),
            keeper=keeper,
            workers=workers,
            warming=BackgroundTasks("warm-up", limit=1),
        )
        stack.push_async_callback(parts.warming.close)
        for part in (
            parts.jobs, parts.relay, parts.watch, parts.health, parts.sweeper, parts.keeper
        ):  # fmt: skip
            stack.push_async_callback(part.stop)
        yield parts


async def _catalog(
    given: Catalog | None, database: Database, settings: Settings, keys: Keys
) -> Catalog:
    if given is None:
        return await Catalog.load(database, settings, keys)
    await given.follow(Source(database, keys))
    return given


def _warn_of_shared_user(apps: Catalog) -> None:
    user = shared_user()
    names = [app.app_id for app in apps.apps() if app.isolated]
    if user is not None and names:
        logger.warning(
            "isolated apps run as the host's own user and could read all that it can read, because "
            "the host does not run as root",
            user=user,
            apps=names,
        )


def _open_breakers_of_blocked_app(
    settings: Settings, breakers: Breakers, apps: Catalog, counts: CallCounts
) -> None:
    """Let an app that has blocked the last process until its end be tried with single calls."""
    app_id = blocked_app.take(settings.data_dir)
    if app_id is None:
        return
    logger.error("the last process ended because an app blocked its event loop", app=app_id)
    keys = blocked_app.open_breakers(breakers, apps, app_id)
    for key in keys[-1:]:  # one alert
        counts.reported(AppReport(*key, blocked_app.CODE))


def _webhooks(
    apps: Catalog, database: Database, keys: Keys, clock: Clock, settings: Settings
) -> WebhookTransport:
    lists = StoredLists(
        database,
        key=keys.derive("lists"),
        public_url=settings.effective_public_url,
        clock=clock,
    )
    outbound = Outbound(Guard.of(settings))
    url = settings.effective_public_url
    return WebhookTransport(apps, outbound, lists, clock, public_url=url)


def _gone(going: BackgroundTasks, database: Database, apps: Catalog, app: AppTarget) -> None:
    """Stop an app that says so at its newest address; an old address may be anybody's by now."""
    app_id = app.app_id
    if apps.newest(app_id).version != app.version:
        return
    reason = "The app replied with 410: it no longer exists."
    going.run(lambda: disable(database, apps, app_id, reason), app=app_id)


class _Back:
    """Resumes what waits for an app, once its breaker has closed or more of it can be called."""

    def __init__(self, services: Services, recovery: AppRecovery, tasks: BackgroundTasks) -> None:
        self._services = services
        self._recovery = recovery
        self._tasks = tasks

    def on_change(self, change: Change, /) -> None:
        """Handle a change of a breaker."""
        if change.state is BreakerStatus.CLOSED:
            self.on_app_back(change.key.app_id)

    def on_app_back(self, app_id: str, /) -> None:
        """Retry parked calls of rooms and parked deliveries now."""
        services = self._services
        self._recovery.on_app_back(app_id)
        self._tasks.run(lambda: services.outbox.app_is_back(services.database, app_id), app=app_id)
