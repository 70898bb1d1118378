"""Cache of recent calls and their responses, so that a repeated call gets the same response."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .asgi_messages import Response

MAX_ANSWERS = 10_000
MAX_BYTES = 64 * 1024 * 1024
SECONDS = 24 * 3600

OK = 200


@dataclass(frozen=True)
class Remembered:
    """A cached call: the digest of its content, its start, and the task that handles it."""

    question: str
    since: float
    task: asyncio.Task[Response]


class Memory:
    """Responses by the id of the call; used from one event loop.

    Responses other than 200 are dropped immediately. Beyond 24 h, 10,000 responses or 64 MiB, the
    oldest are dropped. A call in progress is never dropped.
    """

    def __init__(
        self, clock: Callable[[], float], *, answers: int = MAX_ANSWERS, size: int = MAX_BYTES
    ) -> None:
        self._clock = clock
        self._answers = answers
        self._size = size
        self._running: dict[str, Remembered] = {}
        self._done: OrderedDict[str, Remembered] = OrderedDict()
        self._bytes = 0

    def find(self, call_id: str) -> Remembered | None:
        """Return the cached call; None if the id is unknown."""
        self._forget_old()
        running = self._running.get(call_id)
        if running is not None and running.task.done():
            self._finish(call_id, running)  # its callback has not run yet
            running = None
        return running or self._done.get(call_id)

    def start(self, call_id: str, question: str, task: asyncio.Task[Response]) -> Remembered:
        """Store a call in progress; its response is added automatically."""
        started = Remembered(question, self._clock(), task)
        self._running[call_id] = started
        task.add_done_callback(lambda _: self._finish(call_id, started))
        return started

    async def close(self) -> None:
        """Cancel and drop all calls in progress."""
        running = [each.task for each in self._running.values()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=1)

    def _finish(self, call_id: str, started: Remembered) -> None:
        if self._running.get(call_id) is not started:
            return
        del self._running[call_id]
        if started.task.cancelled() or started.task.exception() is not None:
            return
        answer = started.task.result()
        if answer.status == OK:
            self._done[call_id] = started
            self._bytes += len(answer.body)
            self._forget_old()

    def _forget_old(self) -> None:
        latest = self._clock() - SECONDS
        while self._done and self._is_too_much(next(iter(self._done.values())).since < latest):
            _, gone = self._done.popitem(last=False)
            self._bytes -= len(gone.task.result().body)

    def _is_too_much(self, is_old: bool) -> bool:  # noqa: FBT001  one fact of three
        return is_old or len(self._done) > self._answers or self._bytes > self._size
