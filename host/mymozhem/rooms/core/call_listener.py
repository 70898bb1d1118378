"""The base class of listeners to calls of apps, which write their findings later."""

from mymozhem.concurrency.background_tasks import BackgroundTasks

from .services import Services


class CallListener:
    """Listens to calls of apps; writes in background tasks, at most `limit` at a time.

    The dispatcher gets its listeners before the services exist, so `open` passes those later.
    Before that, and after `close`, a listener writes nothing.
    """

    def __init__(self, name: str, *, limit: int) -> None:
        self._services: Services | None = None
        self._tasks = BackgroundTasks(name, limit=limit)

    async def open(self, services: Services) -> None:
        """Start to write."""
        self._services = services

    async def close(self) -> None:
        """Stop, and cancel what is being written; idempotent."""
        self._services = None
        await self._tasks.close()

    async def settled(self) -> None:
        """Wait until no task is running."""
        await self._tasks.settled()
