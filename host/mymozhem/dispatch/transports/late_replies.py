"""Listening on after the deadline: a timeout means unknown, so what comes late is taken note of."""

import asyncio
from collections import OrderedDict
from contextvars import Context

from mymozhem.dispatch.outcome import CallFailed

from .base import HookCall, Reply, Transport

#: how long after its deadline an answer is still waited for, in seconds
LINGER_SECONDS = 30.0

#: calls of all apps together that are waited for after their deadlines; the oldest gives way
MAX_LINGERING = 64


class LateReplyTransport:
    """A transport whose calls outlive their deadlines for a while, where somebody wants to know.

    Its callers are answered at once all the same.
    """

    def __init__(self, inner: Transport, *, seconds: float = LINGER_SECONDS) -> None:
        self._inner = inner
        self._seconds = seconds
        self._left: OrderedDict[asyncio.Task[Reply], None] = OrderedDict()

    async def send(self, call: HookCall) -> Reply:
        """Ask the app; see `Transport`. A call with `late` goes on when its caller leaves."""
        if call.late is None:
            return await self._inner.send(call)
        task = asyncio.create_task(self._inner.send(call), context=Context())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._leave(task, call)
            raise

    async def close(self) -> None:
        """Stop listening, and close the transport; twice is safe."""
        tasks = list(self._left)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._inner.close()

    def _leave(self, task: asyncio.Task[Reply], call: HookCall) -> None:
        self._left[task] = None
        if len(self._left) > MAX_LINGERING:
            next(iter(self._left)).cancel()
        timer = asyncio.get_running_loop().call_later(self._seconds, task.cancel)
        task.add_done_callback(lambda done: self._arrived(done, call, timer))

    def _arrived(
        self, task: asyncio.Task[Reply], call: HookCall, timer: asyncio.TimerHandle
    ) -> None:
        timer.cancel()
        self._left.pop(task, None)
        if task.cancelled() or call.late is None:
            return
        error = task.exception()
        if error is None:
            call.late(task.result())
        elif not isinstance(error, CallFailed):
            task.get_loop().call_exception_handler(
                {"message": "a late call broke", "exception": error, "task": task}
            )
