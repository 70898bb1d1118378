"""Wait for replies after the deadline: a timeout means unknown, so late replies are recorded."""

import asyncio
from collections import OrderedDict
from contextvars import Context

from mymozhem.dispatch.outcome import CallFailed

from .base import HookCall, Reply, Transport

#: how long after the deadline to wait for a reply, in seconds
LINGER_SECONDS = 30.0

#: the maximum number of calls, of all apps, to wait for after deadlines; the oldest is dropped
MAX_LINGERING = 64


class LateReplyTransport:
    """A transport that waits for a reply after the deadline, if the call has a `late` callback.

    The caller itself does not wait longer.
    """

    def __init__(self, inner: Transport, *, seconds: float = LINGER_SECONDS) -> None:
        self._inner = inner
        self._seconds = seconds
        self._left: OrderedDict[asyncio.Task[Reply], None] = OrderedDict()

    async def send(self, call: HookCall) -> Reply:
        """Call the app; see `Transport`. A call with `late` outlives its caller."""
        if call.late is None:
            return await self._inner.send(call)
        task = asyncio.create_task(self._inner.send(call), context=Context())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._leave(task, call)
            raise

    async def close(self) -> None:
        """Stop waiting for late replies, and close the transport. Idempotent."""
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
                {"message": "a late call failed", "exception": error, "task": task}
            )
