"""Wraps an app so that each call is reported to its author."""

import functools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import ModuleType

import pluggy
from pydantic import BaseModel

from mymozhem.contract import AppHooks, Context, hookimpl
from mymozhem.contract.hooks import PROJECT
from mymozhem.contract.serving.app_functions import Function, Plugin
from mymozhem.registry.loaded_code import AppCode


@dataclass(frozen=True)
class RecordedCall:
    """One call of a hook: its request, its result or error, and its duration in milliseconds."""

    hook: str
    context: Context
    request: BaseModel
    answer: object
    error: BaseException | None
    duration_ms: float


Tell = Callable[[RecordedCall], None]


def recorded(code: AppCode, tell: Tell) -> AppCode:
    """Return code that behaves the same and reports each call to `tell`, unchanged.

    `tell` runs where the app's code ran, in a thread or on the event loop, and must not raise.
    """
    (plugin,) = code.plugin_manager.get_plugins()
    known = Plugin(plugin, code.manifest.document)
    wrapped = ModuleType(f"{code.app_id}, recorded")
    for name, function in known.functions.items():
        setattr(wrapped, name, hookimpl(_told(name, function, tell)))
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(AppHooks)
    manager.register(wrapped)
    return replace(code, plugin_manager=manager)


def _told(name: str, function: Function, tell: Tell) -> Callable[..., object]:
    if function.is_coroutine:
        return _told_later(name, function, tell)

    def hook(context: Context, request: BaseModel) -> object:
        over, began = functools.partial(_tell, tell, name, context, request), time.perf_counter()
        try:
            answer = function.invoke(context, request)
        except BaseException as error:
            over(None, error, began)
            raise
        over(answer, None, began)
        return answer

    return hook


def _told_later(
    name: str, function: Function, tell: Tell
) -> Callable[[Context, BaseModel], Awaitable[object]]:
    async def hook(context: Context, request: BaseModel) -> object:
        over, began = functools.partial(_tell, tell, name, context, request), time.perf_counter()
        try:
            asked = function.invoke(context, request)
            answer: object = await asked if isinstance(asked, Awaitable) else asked
        except BaseException as error:
            over(None, error, began)
            raise
        over(answer, None, began)
        return answer

    return hook


def _tell(
    tell: Tell,
    name: str,
    context: Context,
    request: BaseModel,
    answer: object,
    error: BaseException | None,
    began: float,
) -> None:
    tell(RecordedCall(name, context, request, answer, error, (time.perf_counter() - began) * 1000))
