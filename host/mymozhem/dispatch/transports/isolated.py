"""Calls to code in an isolated environment: the webhooks of the contract, over a Unix socket."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Protocol

from mymozhem.clock import SystemClock
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.isolation.errors import NotStarted, Resting
from mymozhem.isolation.pool import Workers
from mymozhem.isolation.worker import Worker
from mymozhem.manifests.model import Webhook
from mymozhem.outbound import Outbound
from mymozhem.outbound.guard import Guard
from mymozhem.registry.loaded_code import IsolatedCode

from .base import HookCall, Reply
from .model_copies import with_values
from .webhook.request import body_of
from .webhook.sender import Post

#: a worker accepts any path
_HOOKS = Webhook(path="/hooks", asynchronous=False)

#: if a worker closes the connection, it has died: its exit is known within this time, in
#: seconds, which is longer than the wait for its last output
_NOTICED_SECONDS = 1.5

#: a call that is cancelled at its deadline may end earlier by this time
_ROUNDING_SECONDS = 0.05

#: failures to get a second worker; the death of the first one is the better message
_NOT_ASKED = frozenset({FailureKind.PAUSED, FailureKind.TIMEOUT})


class Environments(Protocol):
    """Finds isolated environments; answered from memory."""

    def isolated_for(self, app_id: str, version: str, /) -> IsolatedCode | None:
        """Return the environment that serves a published version; None if there is none."""
        ...


class IsolatedTransport:
    """The transport to isolated workers, which it starts.

    If a worker dies during a call, the same call goes to a new worker, once and within the
    deadline: hooks are pure functions of their requests. The body includes long lists.
    """

    def __init__(self, environments: Environments, workers: Workers) -> None:
        self._environments = environments
        self._workers = workers
        # Worker and host share the machine's clock, even if the host uses another one.
        self._post = Post(Outbound(Guard()), SystemClock())

    async def send(self, call: HookCall) -> Reply:
        """Call the app and return its reply, not yet validated; see `Transport`."""
        code = self._environments.isolated_for(call.app.app_id, call.app.version)
        if code is None:
            message = f"No environment serves {call.app.app_id} {call.app.version}."
            raise CallFailed(FailureKind.NO_CODE, message)
        ends = asyncio.get_running_loop().time() + call.context.deadline_ms / 1000
        try:
            return await self._ask(code, call, ends)
        except _Died:
            return await self._again(code, call, ends)

    async def close(self) -> None:
        """Close every connection; their owner stops the workers. Idempotent."""
        await self._post.close()

    async def _again(self, code: IsolatedCode, call: HookCall, ends: float) -> Reply:
        message = f"The worker of {call.app.app_id} ended during the call."
        failed = CallFailed(FailureKind.UNREACHABLE, message)
        if _left(ends) <= 0:
            raise failed from None
        try:
            return await self._ask(code, call, ends)
        except _Died:
            raise failed from None
        except CallFailed as error:
            if error.failure.kind in _NOT_ASKED:
                raise failed from None
            raise

    async def _ask(self, code: IsolatedCode, call: HookCall, ends: float) -> Reply:
        try:
            async with self._workers.use(code) as worker:
                left_ms = round(_left(ends) * 1000)
                if left_ms <= 0:
                    message = f"The worker of {call.app.app_id} was not ready in time."
                    raise CallFailed(FailureKind.TIMEOUT, message)
                told = call._replace(context=with_values(call.context, {"deadline_ms": left_ms}))
                with self._watching(worker, call, ends):
                    return await self._asked(told, worker)
        except (NotStarted, Resting) as error:
            raise _not_asked(call, error) from None

    async def _asked(self, call: HookCall, worker: Worker) -> Reply:
        body = body_of(call, platform_form=False)
        try:
            reply = await self._post.send(call, worker.ready.result(), _HOOKS, body)
        except CallFailed as failed:
            if failed.failure.kind is FailureKind.UNREACHABLE and await _has_died(worker):
                raise _Died from failed
            raise
        worker.misses = 0
        return reply

    @contextmanager
    def _watching(self, worker: Worker, call: HookCall, ends: float) -> Iterator[None]:
        """Count a missed deadline of the worker, even if a late reply is still awaited.

        A running worker without a usable connection counts too: its threads may all hang, or its
        socket may be missing.
        """
        timer = None
        if call.late is not None:  # it is not cancelled at its deadline
            loop = asyncio.get_running_loop()
            timer = loop.call_at(ends, self._workers.missed, worker)
        try:
            yield
        except (asyncio.CancelledError, CallFailed) as error:
            is_late = timer is None and _left(ends) <= _ROUNDING_SECONDS
            if is_late or _cannot_be_asked(error):
                self._workers.missed(worker)
            raise
        finally:
            if timer is not None:
                timer.cancel()


class _Died(Exception):
    """The worker died during the call."""


async def _has_died(worker: Worker) -> bool:
    await asyncio.wait((worker.ended,), timeout=_NOTICED_SECONDS)
    return worker.ended.done()


def _left(ends: float) -> float:
    return ends - asyncio.get_running_loop().time()


def _cannot_be_asked(error: BaseException) -> bool:
    if not isinstance(error, CallFailed):
        return False
    unreachable = error.failure.kind is FailureKind.UNREACHABLE
    return unreachable or error.status == HTTPStatus.SERVICE_UNAVAILABLE


def _not_asked(call: HookCall, error: NotStarted | Resting) -> CallFailed:
    if isinstance(error, Resting):
        return CallFailed(FailureKind.PAUSED, error.message)
    kind = FailureKind.MISCONFIGURED if error.by_app else FailureKind.UNREACHABLE
    message = f"The worker of {call.app.app_id} did not start. {error.message}"
    return CallFailed(kind, message)
