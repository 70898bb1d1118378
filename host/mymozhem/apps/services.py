"""The services that use cases of apps need."""

from contextlib import suppress
from typing import Protocol

from mymozhem.auth.keys import Keys
from mymozhem.concurrency.costly_pool import CostlyPool
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Unavailable
from mymozhem.registry.catalog import Catalog


class AppServices(Protocol):
    """The services of a host, or of a command, whose catalog is empty."""

    @property
    def database(self) -> Database:
        """The database."""
        ...

    @property
    def catalog(self) -> Catalog:
        """The apps that this process knows."""
        ...

    @property
    def keys(self) -> Keys:
        """The keys of the host, which seal the secrets of apps."""
        ...

    @property
    def costly(self) -> CostlyPool:
        """The pool for costly computations."""
        ...

    @property
    def settings(self) -> Settings:
        """The operator's settings."""
        ...


async def refresh_catalog(services: AppServices) -> None:
    """Refresh the catalog of this process; if the database is down, the watch retries soon."""
    with suppress(Unavailable):
        await services.catalog.refresh()
