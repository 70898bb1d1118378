"""A replacement for the app under test: it records each call, and fails on request."""

import asyncio
import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from enum import StrEnum
from types import ModuleType

from pydantic import BaseModel
from pydantic_core import to_json

from mymozhem.contract import Context, Hook, Refuse, hookimpl
from mymozhem.contract.serving.app_functions import Function

from .app_lookup import App

#: longer than any deadline of a house for broken apps
HANG_SECONDS = 20.0


class Fault(StrEnum):
    """How an app breaks inside its own code."""

    RAISES = "raises"  #: it raises an error of its own
    HANGS = "hangs"  #: it does not answer
    TALKS_NONSENSE = "talks nonsense"  #: its answer is none
    CRASHES = "crashes"  #: it ends the process, as far as it can


@dataclass(frozen=True)
class RecordedCall:
    """One call of one function of the app, as JSON, and its outcome.

    `answer` is what the function returned, or its refusal; `error` what it raised.
    """

    hook: Hook[BaseModel, BaseModel]
    context: bytes
    request: bytes
    changed: bool
    answer: object = None
    error: BaseException | None = None


@dataclass
class CallRecords:
    """The calls of a recording app, in order; `fault` is how it breaks from now on."""

    calls: list[RecordedCall] = field(default_factory=list)
    fault: Fault | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def break_by(self, fault: Fault | None) -> None:
        """Break in this way from now on, or work again; calls that hang are released."""
        self.over.set()
        self.over = threading.Event()
        self.fault = fault


def record_calls(app: App, notes: CallRecords) -> object:
    """Return an app with the same hooks and manifest that records its calls."""
    made = ModuleType(app.app_id)
    made.app_manifest = hookimpl(lambda: deepcopy(app.document))  # type: ignore[attr-defined]  # made here
    for name, function in app.functions.items():
        watch = _waiting if function.is_coroutine else _plain
        setattr(made, name, hookimpl(watch(function, notes)))
    return made


def _plain(function: Function, notes: CallRecords) -> Callable[[Context, BaseModel], object]:
    def ask(context: Context, request: BaseModel) -> object:
        if notes.fault is Fault.HANGS:
            notes.over.wait(HANG_SECONDS)
        if notes.fault is not None:
            return _break(notes.fault)
        note = _Note(function, context, request, notes)
        try:
            return note.answered(function.invoke(context, request))
        except BaseException as error:
            note.raised(error)
            raise

    return ask


def _waiting(function: Function, notes: CallRecords) -> Callable[[Context, BaseModel], object]:
    async def ask(context: Context, request: BaseModel) -> object:
        if notes.fault is Fault.HANGS:
            await asyncio.sleep(HANG_SECONDS)
        if notes.fault is not None:
            return _break(notes.fault)
        note = _Note(function, context, request, notes)
        try:
            answering = function.invoke(context, request)
            return note.answered(await answering)  # type: ignore[misc]  # a coroutine function
        except BaseException as error:
            note.raised(error)
            raise

    return ask


class _Note:
    """A call in progress."""

    def __init__(
        self, function: Function, context: Context, request: BaseModel, notes: CallRecords
    ) -> None:
        self._function = function
        self._given = (context, request)
        self._before = self._as_json()
        self._notes = notes

    def answered(self, answer: object) -> object:
        """Record a result and return it."""
        self._add(answer=answer)
        return answer

    def raised(self, error: BaseException) -> None:
        """Record an error; a refusal is a result."""
        if isinstance(error, Refuse):
            self._add(answer=error.refusal)
        elif not isinstance(error, asyncio.CancelledError):
            self._add(error=error)

    def _add(self, *, answer: object = None, error: BaseException | None = None) -> None:
        changed = self._as_json() != self._before
        context, request = self._before
        noted = RecordedCall(self._function.hook, context, request, changed, answer, error)
        self._notes.calls.append(noted)

    def _as_json(self) -> tuple[bytes, bytes]:
        context, request = self._given
        return to_json(context, by_alias=True), to_json(request, by_alias=True)


def _break(fault: Fault) -> object:
    if fault is Fault.RAISES:
        raise RuntimeError("the kit broke the app")
    if fault is Fault.CRASHES:
        raise SystemExit(1)
    return {"nonsense": ["the kit broke the app"]}
