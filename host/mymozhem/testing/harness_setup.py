"""Opens a test host: a database, services and a few apps, in-process or behind HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

from sqlalchemy import make_url

from mymozhem.auth.keys import Keys
from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock, HeldClock, SystemClock
from mymozhem.config import Settings
from mymozhem.contract import JsonObject, PersonKind
from mymozhem.contract.serve import remote_manifest
from mymozhem.contract.serving.app_functions import Plugin
from mymozhem.db.all_tables import import_tables
from mymozhem.db.engine import create_engine
from mymozhem.db.unit_of_work import Database
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.observers import CallObservers
from mymozhem.dispatch.stored_lists import StoredLists
from mymozhem.dispatch.transports.webhook.transport import WebhookTransport
from mymozhem.observability.call_observer import CallObserver, Observed
from mymozhem.outbound import Guard, Outbound
from mymozhem.registry import manifest_history, remote_apps
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.catalog_source import Source
from mymozhem.registry.discovery import Discovered
from mymozhem.registry.loaded_code import AppCode
from mymozhem.registry.loader import load
from mymozhem.registry.remote_apps import Owner, validate_remote_manifest
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.jobs.runner import Jobs

from .harness import HostHarness
from .web_server import Endpoint, Front, by_contract

LOOPBACK = (IPv4Network("127.0.0.0/8"),)
_NOBODY = Principal("", PersonKind.REGISTERED, None, "token")


class _Notes:
    """Records every call."""

    def __init__(self) -> None:
        self.calls: list[Observed] = []

    def observed(self, call: Observed) -> None:
        """Note a call that is over."""
        self.calls.append(call)


class NotLoadable(AssertionError):
    """The host would not load this app; the message gives its reasons."""


@asynccontextmanager
async def open_host(
    apps: Mapping[str, object],
    *,
    served: bool = False,
    endpoint: Endpoint = by_contract,
    clock: Clock | None = None,
    max_deadline_ms: int = 30_000,
) -> AsyncIterator[HostHarness]:
    """Open a host on a temporary SQLite file, with apps by their ids; tests control its clock.

    With `served` each app is a web service on loopback, created by `endpoint`, and called by signed
    webhooks; `host.fronts` can break them. `max_deadline_ms` is the operator's limit.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mymozhem-")))
        clock = clock or HeldClock()
        settings = Settings(
            data_dir=folder, environment="test", allow_networks=LOOPBACK,
            max_deadline_ms=max_deadline_ms,
        )  # fmt: skip
        database = await _database(stack, settings, clock)
        remote: WebhookTransport | None = None
        notes = _Notes()
        if served:
            services, remote = await _with_web(stack, database, clock, settings, notes)
        else:
            services = await make_services(database, clock, settings, apps, observer=notes)
            stack.push_async_callback(services.dispatcher.close)
        jobs = Jobs(services)
        stack.push_async_callback(jobs.stop)
        host = HostHarness(services, _NOBODY, jobs=jobs, remote=remote, observed=notes.calls)
        host.organizer = await host.person("organizer@example.com")
        if served:
            host.fronts = {
                app_id: await _serve(stack, host, app_id, app, endpoint)
                for app_id, app in apps.items()
            }
        yield host


def loaded(plugin: object, app_id: str) -> AppCode:
    """Load an app as the host does, as if a distribution had brought it; see `NotLoadable`."""
    entry_point = SimpleNamespace(
        load=lambda: plugin, name=app_id, value="test", group="mymozhem.apps"
    )
    found = load(Discovered(app_id, entry_point, f"test-{app_id}", "1.0.0"))  # type: ignore[arg-type]  # as an entry point
    if not isinstance(found, AppCode):
        raise NotLoadable(f"{app_id} is not loaded: {'; '.join(found.reasons)}")
    return found


async def make_services(
    database: Database,
    clock: Clock,
    settings: Settings,
    apps: Mapping[str, object],
    *,
    observer: CallObserver | None = None,
) -> Services:
    """Wire services with these apps inside the process, published in the database."""
    codes = [loaded(plugin, app_id) for app_id, plugin in apps.items()]
    async with database.write() as unit:
        for code in codes:
            await manifest_history.publish(unit, code.app_id, code.manifest)
    async with database.read() as session:
        published = await manifest_history.versions(session)
    catalog = Catalog(codes, published)
    dispatcher = Dispatcher(catalog, clock, settings, observers=CallObservers(observer))
    return Services(database, catalog, dispatcher, Keys.load(settings), clock, settings)


async def _database(stack: AsyncExitStack, settings: Settings, clock: Clock) -> Database:
    url = settings.effective_database_url
    await asyncio.to_thread(_write_empty_database, Path(make_url(url).database or ""))
    database = Database(url, clock=clock)
    await database.open()
    stack.push_async_callback(database.close)
    return database


def _write_empty_database(file: Path) -> None:
    file.write_bytes(_empty_database())


@cache
def _empty_database() -> bytes:
    """Return a SQLite file with every table; to copy it is faster than to create the tables."""
    with TemporaryDirectory(prefix="mymozhem-") as folder:
        file = Path(folder) / "empty.sqlite3"
        asyncio.run(_create_tables(f"sqlite:///{file}"))
        return file.read_bytes()


async def _create_tables(url: str) -> None:
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(import_tables().create_all)
    finally:
        await engine.dispose()


async def _with_web(
    stack: AsyncExitStack,
    database: Database,
    clock: Clock,
    settings: Settings,
    observer: CallObserver,
) -> tuple[Services, WebhookTransport]:
    """Wire services that reach apps by webhooks; signatures bear the machine's time."""
    keys = Keys.load(settings)
    catalog = Catalog((), ())
    await catalog.follow(Source(database, keys))
    # Lists are kept and cannot be fetched: no question of a small room is too long for a body.
    lists = StoredLists(database, key=b"kept", public_url="http://127.0.0.1:9", clock=clock)
    outbound = Outbound(Guard.of(settings))
    transport = WebhookTransport(catalog, outbound, lists, SystemClock())
    dispatcher = Dispatcher(
        catalog, clock, settings, remote=transport, observers=CallObservers(observer)
    )
    stack.push_async_callback(dispatcher.close)
    return Services(database, catalog, dispatcher, keys, clock, settings), transport


async def _serve(
    stack: AsyncExitStack, host: HostHarness, app_id: str, app: object, endpoint: Endpoint
) -> Front:
    """Serve an app on loopback and register it as a remote one, as an admin would."""
    services, front = host.services, Front()
    await front.server.start()
    stack.push_async_callback(front.close)
    document: JsonObject = remote_manifest(Plugin(app).manifest, front.server.address)
    check = Guard.of(services.settings).check_url
    manifest = validate_remote_manifest(document, app_id, check)
    async with services.database.write() as unit:
        owner = Owner(host.organizer.user_id, "organizer@example.com")
        made = await remote_apps.register(unit, services.keys, app_id, manifest, owner=owner)
    await services.catalog.refresh()
    front.app = await asyncio.to_thread(endpoint, app, (made.secret, made.public_key))
    return front
