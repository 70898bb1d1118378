"""Calls to apps that run inside the host process.

The app gets a copy of the request, so it can change nothing of the host's. Plain functions run in
daemon threads of the app's own; coroutines run on the event loop. A coroutine that blocks also
blocks the event loop, and is reported: blocking work belongs in a plain function.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import pluggy
import structlog
from pydantic import BaseModel

from mymozhem.concurrency.app_ownership import running_as
from mymozhem.contract import Hook, Refuse
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.reply_codec import encode

from .app_threads import Runner
from .base import HookCall, Reply
from .model_copies import private_copy

#: threads of one app, and abandoned coroutines of one app
MAX_UNFINISHED = 32

logger = structlog.stdlib.get_logger(__name__)

Answer = Reply | CallFailed

Measured = Callable[[HookCall, Awaitable[object]], Awaitable[object]]


class Code(Protocol):
    """Loaded code of an app."""

    @property
    def plugin_manager(self) -> pluggy.PluginManager:
        """Return the plugin manager with this app only."""
        ...


class CodeSource(Protocol):
    """Finds the loaded code of apps."""

    def code_for(self, app_id: str, version: str, /) -> Code | None:
        """Return the loaded code that serves this version of the app, None if there is none."""
        ...


class InProcess:
    """The transport to apps that are loaded into this process."""

    def __init__(self, source: CodeSource, *, measured: Measured | None = None) -> None:
        """With `measured`, the steps of coroutines are measured: see `LoopBlocks.measured`."""
        self._source = source
        self._measured = measured or _unmeasured
        self._runners: dict[str, Runner[Answer]] = {}
        self._functions: dict[tuple[Code, str], _Function | None] = {}

    async def send(self, call: HookCall) -> Reply:
        """Call the app's function and return its reply, not yet validated; see `Transport`."""
        function = self._function(call)
        ask = partial(_ask, call, function)
        runner, late = self._runner(call.app.app_id), partial(_late, call)
        if function.is_coroutine:
            answer = await runner.in_task(partial(_await_answer, call, self._measured, ask), late)
        else:
            answer = await runner.in_thread(partial(_answer, call, ask), late)
        if isinstance(answer, CallFailed):
            raise answer
        return answer

    async def close(self) -> None:
        """Release every app's threads and tasks without waiting for any."""
        for runner in self._runners.values():
            runner.close()

    def _function(self, call: HookCall) -> "_Function":
        code = self._source.code_for(call.app.app_id, call.app.version)
        if code is None:
            message = f"No installed code serves {call.app.app_id} {call.app.version}."
            raise CallFailed(FailureKind.NO_CODE, message)
        key = (code, call.hook.name)
        if key not in self._functions:  # loaded code does not change
            self._functions[key] = _Function.find(code, call.hook)
        function = self._functions[key]
        if function is None:
            message = f"{call.app.app_id} does not implement {call.hook.name}."
            raise CallFailed(FailureKind.NOT_IMPLEMENTED, message)
        return function

    def _runner(self, app_id: str) -> Runner[Answer]:
        runner = self._runners.get(app_id)
        if runner is None:
            runner = Runner(app_id, limit=MAX_UNFINISHED)
            self._runners[app_id] = runner
        return runner


class _Function:
    """The app's implementation of one hook, as pluggy found it.

    The host calls it as pluggy would, without the loop over implementations and wrappers: an app
    has one implementation of each hook, and a plugin with wrappers is not loaded.
    """

    def __init__(self, implementation: pluggy.HookImpl) -> None:
        self.takes = implementation.argnames
        self.is_coroutine = inspect.iscoroutinefunction(implementation.function)
        self.call: Callable[..., Any] = implementation.function

    @classmethod
    def find(cls, code: Code, hook: Hook[BaseModel, BaseModel]) -> "_Function | None":
        caller: pluggy.HookCaller = getattr(code.plugin_manager.hook, hook.name)
        implementations = caller.get_hookimpls()
        return cls(implementations[0]) if implementations else None


def _ask(call: HookCall, function: "_Function") -> Any:  # noqa: ANN401  whatever the app returns
    """Call the app with copies of its arguments; they are made in the app's own thread or task."""
    given = {"context": call.context, "request": call.request}
    return function.call(*(private_copy(given[name]) for name in function.takes))


def _answer(call: HookCall, ask: Callable[[], object]) -> Answer:
    hook = call.hook
    try:
        with running_as(call.app.app_id):
            try:
                answer = ask()
            except Refuse as no:
                answer = no.refusal
        return encode(hook, answer)
    except CallFailed as failed:
        return failed
    except BaseException as error:  # noqa: BLE001  an app may raise anything, SystemExit included
        return _raised(hook, error)


def _unmeasured(_: HookCall, work: Awaitable[object]) -> Awaitable[object]:
    return work


async def _await_answer(
    call: HookCall, measured: Measured, ask: Callable[[], Awaitable[object]]
) -> Answer:
    hook = call.hook
    try:
        answer: object
        with running_as(call.app.app_id):
            try:
                answer = await measured(call, ask())
            except Refuse as no:
                answer = no.refusal
        return encode(hook, answer)
    except CallFailed as failed:
        return failed
    except BaseException as error:  # noqa: BLE001  likewise; its own cancellation is one of them
        return _raised(hook, error)


def _raised(hook: Hook[BaseModel, BaseModel], error: BaseException) -> CallFailed:
    # The text of the error goes to the log only: it may contain private data of the room.
    failed = CallFailed(FailureKind.RAISED, f"{hook.name} raised {type(error).__name__}.")
    failed.__cause__ = error
    return failed


def _late(call: HookCall, answer: Answer) -> None:
    """Pass on a reply after the deadline; ignore a failure then."""
    if call.late is not None and isinstance(answer, Reply):
        call.late(answer)
