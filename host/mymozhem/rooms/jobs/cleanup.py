"""What has had its time is deleted: idempotency keys, and lists that apps have fetched."""

import asyncio
from contextlib import suppress

import structlog

from mymozhem.dispatch import stored_lists
from mymozhem.errors import Unavailable
from mymozhem.idempotency import keys
from mymozhem.rooms.core.services import Services

#: seconds between two rounds of one process
EVERY = 900.0

logger = structlog.stdlib.get_logger(__name__)


class Cleaner:
    """Sweeps in the background; several processes may, at no harm."""

    def __init__(self, services: Services, *, every: float = EVERY) -> None:
        self._services = services
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running event loop; twice is once."""
        if self._task is None:
            self._task = asyncio.create_task(self._loop(), name="sweeper")

    async def stop(self) -> None:
        """Stop; twice is safe."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def delete_expired(self) -> int:
        """Delete what has expired; return how many rows that were."""
        swept = await keys.clean(self._services.database)
        return swept + await stored_lists.delete_expired(self._services.database)

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.delete_expired()
            except Unavailable as error:
                logger.debug("nothing could be swept", code=error.code)
            except Exception:  # the next round may do it; nothing else depends on it
                logger.exception("sweeping failed")
