"""The composition root: the only module that knows every class."""

from contextlib import AsyncExitStack

from quart import Quart

from mymozhem.api import edge
from mymozhem.api.callbacks import AllCallbacks
from mymozhem.api.host import Host
from mymozhem.api.limits import Limits
from mymozhem.auth.accounts import Accounts
from mymozhem.auth.keys import Keys
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.tokens import Tokens
from mymozhem.clock import Clock, SystemClock
from mymozhem.config import Settings
from mymozhem.db.uow import Database
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.ears import Ears
from mymozhem.health.histograms import Histograms
from mymozhem.observability.calls import Observers
from mymozhem.observability.metrics import Metrics
from mymozhem.outbound.guard import Guard
from mymozhem.registry.app_keys import SecretCheck
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.source import Source
from mymozhem.registry.watching import Watch
from mymozhem.rooms.courier import callbacks_of, relay_of
from mymozhem.rooms.health_sources import health_loop
from mymozhem.rooms.reading.rooms import RoomReader
from mymozhem.rooms.services import Services
from mymozhem.rooms.windows import downtime
from mymozhem.rooms.work.jobs import Jobs

_KEY = "mymozhem.host"


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    catalog: Catalog | None = None,
    run_jobs: bool = True,
) -> Quart:
    """Return a host as an ASGI application; it opens its database when it starts serving.

    The database must be at the newest schema. A `catalog` that is given takes the place of the
    installed plugins; without `run_jobs` draws and timers wait for another process, or for a test
    that holds the clock. Raises `AccessIncomplete` where a route has no row in the table of access.
    """
    app = Quart("mymozhem", static_folder=None)
    edge.install(app, lambda: host_of(app))
    stack = AsyncExitStack()

    async def start() -> None:
        app.extensions[_KEY] = await _open(
            stack, settings, clock or SystemClock(), catalog=catalog, run_jobs=run_jobs
        )

    async def stop() -> None:
        app.extensions.pop(_KEY, None)
        await stack.aclose()

    app.before_serving(start)
    app.after_serving(stop)
    return app


def host_of(app: Quart) -> Host | None:
    """Return the parts of a host that is serving; None before it starts and after it stops."""
    host: Host | None = app.extensions.get(_KEY)
    return host


async def _open(
    stack: AsyncExitStack,
    settings: Settings,
    clock: Clock,
    *,
    catalog: Catalog | None,
    run_jobs: bool,
) -> Host:
    """Open everything in order; the stack closes it in the opposite one, also half-way."""
    async with AsyncExitStack() as opening:
        database = Database(settings.effective_database_url, clock=clock)
        await database.open()
        opening.push_async_callback(database.close)
        keys = Keys.load(settings)
        apps = await _catalog(catalog, database, settings, keys)
        metrics, counts = Metrics(), Histograms(clock)
        metrics.before_scrape(lambda: metrics.pools(database.connections_in_use()))
        ears = Ears(observer=Observers(metrics, counts))
        dispatcher = Dispatcher(apps, clock, settings, ears=ears)
        opening.push_async_callback(dispatcher.close)
        passwords = Passwords()
        opening.callback(passwords.close)
        services = Services(database, apps, dispatcher, keys, clock, settings)
        await downtime.recover(services, starting=True)
        jobs = Jobs(services)
        opening.push_async_callback(jobs.stop)
        relay = relay_of(services)
        opening.push_async_callback(relay.stop)
        watch = Watch(apps)
        opening.push_async_callback(watch.stop)
        health = health_loop(services, metrics, counts)
        opening.push_async_callback(health.stop)
        if run_jobs:
            jobs.start()
            relay.start()
            watch.start()
            health.start()
        await stack.enter_async_context(opening.pop_all())
    return Host(
        services=services,
        tokens=Tokens(keys, settings, clock),
        accounts=Accounts(database, passwords),
        limits=Limits(settings),
        reader=RoomReader(services),
        app_secrets=SecretCheck(keys),
        check_url=Guard.of(settings).check_url,
        metrics=metrics,
        callbacks=AllCallbacks([callbacks_of(services)]),
    )


async def _catalog(
    given: Catalog | None, database: Database, settings: Settings, keys: Keys
) -> Catalog:
    if given is None:
        return await Catalog.load(database, settings, keys)
    await given.follow(Source(database, keys))
    return given
