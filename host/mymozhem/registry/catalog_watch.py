"""Noticing what other processes did to the apps: one cheap query and a look, every two seconds."""

from mymozhem.concurrency.periodic_task import PeriodicTask

from .catalog import Catalog

EVERY = 2.0
"""Seconds between two looks, and so how long another process may not know of a change."""


class CatalogWatch:
    """Keeps the catalog of a process up to date, in the background.

    If a look fails, what is known stays known.
    """

    def __init__(self, catalog: Catalog, *, every: float = EVERY) -> None:
        self._catalog = catalog
        self._task = PeriodicTask("watch apps", self._look, every=every, wait_first=True)

    def start(self) -> None:
        """Start to look, in the running event loop; idempotent."""
        self._task.start()

    async def stop(self) -> None:
        """Stop looking; idempotent."""
        await self._task.stop()

    async def _look(self) -> None:
        await self._catalog.refresh_if_news()
