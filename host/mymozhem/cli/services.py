"""The services that use cases of apps need in a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property

from mymozhem.auth.keys import Keys
from mymozhem.concurrency.costly_pool import CostlyPool
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.registry.catalog import Catalog

from .database import opened_database


@dataclass(frozen=True)
class CommandServices:
    """The services of a command; the catalog is empty, because the host has its own."""

    database: Database
    settings: Settings
    catalog: Catalog = field(default_factory=lambda: Catalog((), ()))
    costly: CostlyPool = field(default_factory=lambda: CostlyPool(with_process=False))

    @cached_property
    def keys(self) -> Keys:
        """The keys of the host, read if a use case needs them. Raises `KeysRefused`."""
        return Keys.load(self.settings)


@asynccontextmanager
async def opened_services(
    settings: Settings, *, exclusive: bool = False
) -> AsyncIterator[CommandServices]:
    """Open the configured database for the use cases of a command; see `opened_database`."""
    async with opened_database(settings, exclusive=exclusive) as database:
        yield CommandServices(database, settings)
