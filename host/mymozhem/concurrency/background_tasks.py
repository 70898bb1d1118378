"""Fire-and-forget background tasks, at most `limit` at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

import structlog

from mymozhem.errors import MymozhemError

logger = structlog.stdlib.get_logger(__name__)


class BackgroundTasks:
    """Runs work in the background; drops work beyond the limit, with a warning in the log.

    Each task runs in an empty context: it inherits neither the transaction nor the idempotency key
    of the request that started it.
    """

    def __init__(self, name: str, *, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Callable[[], Awaitable[object]], **facts: object) -> bool:
        """Start work and return at once; return False if the limit is reached.

        `facts` are added to the log line if the work is dropped or fails.
        """
        if len(self._tasks) >= self._limit:
            logger.warning("dropped", what=self._name, **facts)
            return False
        task = asyncio.create_task(self._run(work, facts), name=self._name, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def settled(self) -> None:
        """Wait until no task is running."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Cancel all running tasks and wait until they have ended; idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, work: Callable[[], Awaitable[object]], facts: dict[str, object]) -> None:
        try:
            await work()
        except MymozhemError as error:
            logger.warning("failed", what=self._name, code=error.code, **facts)
        except Exception:  # nobody awaits the task, so the log is the only place for the error
            logger.exception("failed", what=self._name, **facts)
