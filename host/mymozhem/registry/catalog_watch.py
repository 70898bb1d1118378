"""Notice changes of apps by other processes: one cheap query and file check every two seconds."""

from mymozhem.concurrency.periodic_task import PeriodicTask

from .catalog import Catalog

EVERY = 2.0
"""Seconds between two checks: the delay until this process notices a change."""


class CatalogWatch:
    """Keeps the catalog of a process up to date, in the background.

    If a check fails, the catalog stays as it is.
    """

    def __init__(self, catalog: Catalog, *, every: float = EVERY) -> None:
        self._catalog = catalog
        self._task = PeriodicTask("watch apps", self._look, every=every, wait_first=True)

    def start(self) -> None:
        """Start to poll, in the running event loop. Idempotent."""
        self._task.start()

    async def stop(self) -> None:
        """Stop polling. Idempotent."""
        await self._task.stop()

    async def _look(self) -> None:
        await self._catalog.refresh_if_news()
