"""Find the functions of an app object, with the same rules as for a plugin in the host."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pluggy
from pydantic import BaseModel

from mymozhem.contract.hooks import HOOKS, PROJECT, AppHooks, Hook
from mymozhem.contract.payloads import Context
from mymozhem.contract.wire import JsonObject


class NotServable(ValueError):
    """This object cannot be served as an app; the message says why."""


@dataclass(frozen=True)
class Function:
    """An app's implementation of one hook."""

    hook: Hook[BaseModel, BaseModel]
    takes: tuple[str, ...]
    call: Callable[..., object]

    @property
    def is_coroutine(self) -> bool:
        """True if a call returns an awaitable."""
        return inspect.iscoroutinefunction(self.call)

    def invoke(self, context: Context, request: BaseModel) -> object:
        """Call the function with those of the arguments that it accepts."""
        given = {"context": context, "request": request}
        return self.call(*(given[name] for name in self.takes))


class Plugin:
    """An app object: its manifest and its functions by the name of the hook."""

    def __init__(self, app: object, manifest: JsonObject | None = None) -> None:
        manager = _registered(app)
        self.functions: Mapping[str, Function] = {
            hook.name: found for hook in HOOKS if (found := _function(manager, hook))
        }
        if not self.functions:
            raise NotServable("it implements no hook; mark its functions with @hookimpl")
        self.manifest: JsonObject = manifest if manifest is not None else _manifest(manager)


def _registered(app: object) -> pluggy.PluginManager:
    if inspect.isclass(app):
        raise NotServable("it is a class; give a module or an object")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(AppHooks)
    try:
        manager.register(app)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise NotServable(" ".join(str(error).split())) from error
    return manager


def _function(manager: pluggy.PluginManager, hook: Hook[BaseModel, BaseModel]) -> Function | None:
    caller: pluggy.HookCaller = getattr(manager.hook, hook.name)
    found = caller.get_hookimpls()
    if not found:
        return None
    if found[0].wrapper or found[0].hookwrapper:
        raise NotServable(f"its {hook.name} is a wrapper; there is nothing to wrap in an app")
    return Function(hook, tuple(found[0].argnames), found[0].function)


def _manifest(manager: pluggy.PluginManager) -> JsonObject:
    """Return the app's own manifest; an empty object if it has none."""
    given: list[object] = manager.hook.app_manifest()
    if given and inspect.iscoroutine(given[0]):
        given[0].close()
        raise NotServable("its app_manifest is a coroutine; make it a plain function")
    if given and not isinstance(given[0], dict):
        raise NotServable(f"its app_manifest returned {type(given[0]).__name__}, not an object")
    return given[0] if given and isinstance(given[0], dict) else {}
