"""A house whose apps run in workers, each in an environment of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mymozhem.auth.keys import Keys
from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import PersonKind
from mymozhem.db.unit_of_work import Database
from mymozhem.dispatch import Dispatcher
from mymozhem.dispatch.transports.isolated import IsolatedTransport
from mymozhem.isolation.pool import Workers
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.loaded_code import IsolatedCode
from mymozhem.rooms.core.services import Services
from mymozhem.testing import HostHarness
from tests.support.isolated import SETTINGS
from tests.support.timing import LoadTolerantClock


@asynccontextmanager
async def isolated_house(
    database: Database,
    folder: Path,
    *codes: IsolatedCode,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[tuple[HostHarness, Workers]]:
    """Open a house on a database whose apps run in workers; its organizer is made once."""
    given = Settings(
        _env_file=None, data_dir=folder, environment="test", **{**SETTINGS, **settings}
    )
    async with database.write() as unit:
        for code in codes:
            await manifest_history.publish(unit, code.app_id, code.manifest)
    async with database.read() as session:
        published = await manifest_history.versions(session)
        known = await session.scalar(select(UserRow.id))
    catalog, workers = Catalog((), published, isolated=codes), Workers(given)
    clock = clock or LoadTolerantClock()
    transport = IsolatedTransport(catalog, workers)
    dispatcher = Dispatcher(catalog, clock, given, isolated=transport)
    services = Services(database, catalog, dispatcher, Keys.load(given), clock, given)
    made = HostHarness(services, Principal(known or "", PersonKind.REGISTERED, None, "token"))
    if known is None:
        made.organizer = await made.person("organizer@example.com")
    try:
        yield made, workers
    finally:
        await dispatcher.close()
        await workers.close()
