"""The same house over each transport: apps inside the process, or as web services on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Network
from pathlib import Path

from mymozhem.auth.keys import Keys
from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock, SystemClock
from mymozhem.config import Settings
from mymozhem.contract import PersonKind
from mymozhem.contract.serve import manifest_of, remote_manifest, serve
from mymozhem.db.uow import Database
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.lists import StoredLists
from mymozhem.dispatch.webhook import WebhookTransport
from mymozhem.outbound import Guard, Outbound
from mymozhem.registry import remote
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.remote import Owner, admissible
from mymozhem.registry.source import Source
from mymozhem.rooms.services import Services
from mymozhem.testing.serving import Front
from tests.integration.rooms.build import House, make_house

OpenHouse = Callable[
    [Database, Clock, Path, Mapping[str, object]], AbstractAsyncContextManager[House]
]

LOOPBACK = (IPv4Network("127.0.0.0/8"),)


@asynccontextmanager
async def near(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> AsyncIterator[House]:
    """Open a house whose apps run inside the process."""
    house = await make_house(database, clock, folder, apps)
    yield house
    await house.services.dispatcher.close()


@asynccontextmanager
async def far(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> AsyncIterator[House]:
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
        house = House(services, Principal("", PersonKind.REGISTERED, None, "token"))
        house.organizer = await house.person("organizer@example.com")
        for app_id, app in apps.items():
            await _serve(stack, house, app_id, app)
        yield house


async def _serve(stack: AsyncExitStack, house: House, app_id: str, app: object) -> None:
    front, services = Front(), house.services
    await front.server.start()
    stack.push_async_callback(front.close)
    document = remote_manifest(manifest_of(app), front.server.address)
    manifest = admissible(document, app_id, Guard.of(services.settings).check_url)
    async with services.database.write() as unit:
        owner = Owner(house.organizer.user_id, "organizer@example.com")
        made = await remote.register(unit, services.keys, app_id, manifest, owner=owner)
    await services.catalog.refresh()
    front.app = await asyncio.to_thread(serve, app, keys=(made.secret, made.public_key))


#: how a house is opened, by the name of the transport
HOUSES: dict[str, OpenHouse] = {"inprocess": near, "webhook": far}
