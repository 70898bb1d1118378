"""Noticing what other processes did to the apps: one cheap query and a look, every two seconds."""

import asyncio
import logging
from contextlib import suppress

from mymozhem.errors import Unavailable

from .catalog import Catalog

EVERY = 2.0
"""Seconds between two looks, and so how long another process may not know of a change."""

logger = logging.getLogger(__name__)


class CatalogWatch:
    """Keeps the catalog of a process up to date, in the background."""

    def __init__(self, catalog: Catalog, *, every: float = EVERY) -> None:
        self._catalog = catalog
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look; twice is safe."""
        if self._task is None:
            self._task = asyncio.create_task(self._loop(), name="watch apps")

    async def stop(self) -> None:
        """Stop looking; twice is safe."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._catalog.refresh_if_news()
            except Unavailable as error:
                logger.debug("the apps cannot be looked at now: %s", error.message)
            except Exception:  # what is known stays known; the next look may succeed
                logger.exception("the apps could not be read again")
