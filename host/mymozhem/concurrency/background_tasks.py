"""Small work that nobody waits for: done in tasks of their own, so many at once and no more."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

import structlog

from mymozhem.errors import MymozhemError

logger = structlog.stdlib.get_logger(__name__)


class Errands:
    """Runs work in the background; what is too much is dropped with a line in the log.

    A task belongs to no request: nothing of the one that caused it, its transaction and its
    idempotency key least of all, is the task's.
    """

    def __init__(self, name: str, *, most: int) -> None:
        self._name = name
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Callable[[], Awaitable[object]], **facts: object) -> bool:
        """Begin work and return at once; False where there is too much already.

        `facts` say in the log what it was about, if it fails.
        """
        if len(self._tasks) >= self._most:
            logger.warning("dropped", what=self._name, **facts)
            return False
        task = asyncio.create_task(self._do(work, facts), name=self._name, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def settled(self) -> None:
        """Wait until everything that was begun is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Break off what is going on; twice is safe."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, work: Callable[[], Awaitable[object]], facts: dict[str, object]) -> None:
        try:
            await work()
        except MymozhemError as error:
            logger.warning("failed", what=self._name, code=error.code, **facts)
        except Exception:  # nobody waits for it, so nobody else would say so
            logger.exception("failed", what=self._name, **facts)
