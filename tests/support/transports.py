"""The same house over each transport: apps inside the process, as web services, or in workers."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from types import ModuleType

import pytest

from mymozhem.auth.keys import Keys
from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock, SystemClock
from mymozhem.config import Settings
from mymozhem.contract import PersonKind
from mymozhem.contract.serve import manifest_of, remote_manifest, serve
from mymozhem.db.unit_of_work import Database
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.stored_lists import StoredLists
from mymozhem.dispatch.transports.webhook.transport import WebhookTransport
from mymozhem.outbound import Guard, Outbound
from mymozhem.registry import remote_apps
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.catalog_source import Source
from mymozhem.registry.isolated import environments
from mymozhem.registry.loaded_code import IsolatedCode
from mymozhem.registry.remote_apps import Owner, validate_remote_manifest
from mymozhem.rooms.core.services import Services
from mymozhem.testing.web_server import Front
from tests.support.host import HostHarness, make_host
from tests.support.isolated import environment
from tests.support.isolated_host import isolated_house
from tests.support.wheels import write_wheel

OpenHouse = Callable[
    [Database, Clock, Path, Mapping[str, object]], AbstractAsyncContextManager[HostHarness]
]

LOOPBACK = (IPv4Network("127.0.0.0/8"),)


@asynccontextmanager
async def near(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> AsyncIterator[HostHarness]:
    """Open a house whose apps run inside the process."""
    host = await make_host(database, clock, folder, apps)
    yield host
    await host.services.dispatcher.close()


@asynccontextmanager
async def far(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> AsyncIterator[HostHarness]:
    """Open a house whose apps are web services: served, registered, asked by signed webhooks."""
    settings = Settings(data_dir=folder, environment="test", allow_networks=LOOPBACK)
    keys, catalog = Keys.load(settings), Catalog((), ())
    await catalog.follow(Source(database, keys))
    # Nothing in these rooms is so long that an app has to fetch it.
    lists = StoredLists(database, key=b"kept", public_url="http://127.0.0.1:9", clock=clock)
    # Web services compare signatures with the machine's clock, whatever the house's is.
    transport = WebhookTransport(catalog, Outbound(Guard.of(settings)), lists, SystemClock())
    dispatcher = Dispatcher(catalog, clock, settings, remote=transport)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(dispatcher.close)
        services = Services(database, catalog, dispatcher, keys, clock, settings)
        host = HostHarness(services, Principal("", PersonKind.REGISTERED, None, "token"))
        host.organizer = await host.person("organizer@example.com")
        for app_id, app in apps.items():
            await _serve(stack, host, app_id, app)
        yield host


@asynccontextmanager
async def apart(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> AsyncIterator[HostHarness]:
    """Open a house whose apps run in workers, each in an environment that sees its package."""
    if not all(isinstance(app, ModuleType) for app in apps.values()):
        pytest.skip("an app that is made inside the test is in no package")
    codes = [await asyncio.to_thread(_apart, app_id, app) for app_id, app in apps.items()]
    async with isolated_house(database, folder, *codes, clock=clock) as (host, workers):
        # On a busy machine, the first call would wait longer than its deadline for its worker.
        for code in codes:
            async with workers.use(code):
                pass
        yield host


@cache
def _apart(app_id: str, app: ModuleType) -> IsolatedCode:
    """Make an environment for the tests of one process; the package stays where it is."""
    folder = Path(tempfile.mkdtemp(prefix="mymozhem-apart-"))
    atexit.register(shutil.rmtree, folder)
    manifest = manifest_of(app)
    apps = {app_id: app.__name__}
    wheel = write_wheel(folder / "wheel", f"tested-{app_id}", "1.0.0", {}, apps=apps)
    code = environment(folder, wheel, manifest, app_id=app_id)
    sources = Path(str(app.__file__)).parents[1]
    (environments.site_packages(code.folder) / "sources.pth").write_text(f"{sources}\n")
    return code


async def _serve(stack: AsyncExitStack, host: HostHarness, app_id: str, app: object) -> None:
    front, services = Front(), host.services
    await front.server.start()
    stack.push_async_callback(front.close)
    document = remote_manifest(manifest_of(app), front.server.address)
    manifest = validate_remote_manifest(document, app_id, Guard.of(services.settings).check_url)
    async with services.database.write() as unit:
        owner = Owner(host.organizer.user_id, "organizer@example.com")
        made = await remote_apps.register(unit, services.keys, app_id, manifest, owner=owner)
    await services.catalog.refresh()
    front.app = await asyncio.to_thread(serve, app, keys=(made.secret, made.public_key))


#: how a house is opened, by the name of the transport
HOUSES: dict[str, OpenHouse] = {"inprocess": near, "webhook": far, "isolated": apart}
