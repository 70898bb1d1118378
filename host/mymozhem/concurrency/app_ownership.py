"""Which app the running code belongs to, and which threads and exit functions are an app's.

Code of an app runs inside `running_as`. Tasks and `asyncio.to_thread` inherit that. Threads and
exit functions do not, so `record_owners` notes who starts and registers them.
"""

import atexit
import threading
from asyncio import Task
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

_running: ContextVar[str | None] = ContextVar("mymozhem_running_app", default=None)

#: the package or module of each app that was loaded -> its id
_packages: dict[str, str] = {}
_threads: WeakKeyDictionary[threading.Thread, str] = WeakKeyDictionary()


@contextmanager
def running_as(app_id: str) -> Iterator[None]:
    """Run a block as code of an app."""
    token = _running.set(app_id)
    try:
        yield
    finally:
        _running.reset(token)


def running_app() -> str | None:
    """Return the id of the app whose code runs in this context; None if it is the host's."""
    return _running.get()


def record_code(app_id: str, module: str) -> None:
    """Record in which module, or package, the code of an app is."""
    _packages[module.rpartition(".")[0] or module] = app_id


def record_owners() -> None:
    """Record from now on which app starts a thread or registers an exit function. Idempotent.

    Neither can be asked for that later, and both can delay the end of the process.
    """
    if threading.Thread.start is not _start:
        # Neither module offers another way to learn it.
        threading.Thread.start = _start  # type: ignore[method-assign, assignment]  # as said
        atexit.register = _register  # type: ignore[assignment]  # it has the same signature


def owner_of_thread(thread: threading.Thread) -> str | None:
    """Return the id of the app that has started a thread; None if none has."""
    return _threads.get(thread)


def owner_of_frame(frame: FrameType | None) -> str | None:
    """Return the id of the app whose code is the innermost in a stack; None if there is none."""
    while frame is not None:
        if frame.f_code is _ExitFunction.__call__.__code__:
            owner: str = frame.f_locals["self"].app_id
            return owner
        if (found := _owner_of_module(frame.f_globals)) is not None:
            return found
        frame = frame.f_back
    return None


def owner_of_task(task: "Task[Any]") -> str | None:
    """Return the id of the app whose code a task waits in; None if it is in none."""
    waiting: Any = task.get_coro()
    found = None
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None)
        if frame is not None:
            found = _owner_of_module(frame.f_globals) or found
        waiting = getattr(waiting, "cr_await", None)
    return found


def _owner_of_module(names: dict[str, Any]) -> str | None:
    module = f"{names.get('__name__', '')}."
    owners = (app for package, app in _packages.items() if module.startswith(f"{package}."))
    return next(owners, None)


@dataclass(frozen=True)
class _ExitFunction:
    """An exit function of an app; equal to the function itself, so that it can be unregistered."""

    app_id: str
    function: Callable[..., object]

    def __call__(self, *args: object, **named: object) -> object:
        with running_as(self.app_id):
            return self.function(*args, **named)

    def __eq__(self, other: object) -> bool:
        return self.function == other

    def __hash__(self) -> int:
        return hash(self.function)


_start_thread = threading.Thread.start
_register_function = atexit.register


def _start(thread: threading.Thread) -> None:
    app_id = running_app() or owner_of_thread(threading.current_thread())
    if app_id is not None:
        _threads[thread] = app_id
    _start_thread(thread)


def _register(function: Callable[..., Any], *args: Any, **named: Any) -> Callable[..., Any]:  # noqa: ANN401  the signature of `atexit.register`
    app_id = running_app()
    if app_id is None:
        return _register_function(function, *args, **named)
    _register_function(_ExitFunction(app_id, function), *args, **named)
    return function
