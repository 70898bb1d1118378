"""Load an app from its entry point: import it, get its manifest, check it.

Importing runs foreign code, so it happens in a daemon thread with a timeout, and every exception
becomes a reason. A refused app never prevents the start of the host.
"""

import inspect
import logging
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence

import pluggy

from mymozhem.concurrency.app_ownership import record_code, running_as
from mymozhem.contract.hooks import PROJECT, AppHooks, hooks_of
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.validate import validate_manifest
from mymozhem.observability.exception_text import MAX_MESSAGE, cut

from .discovery import Discovered
from .loaded_code import AppCode, Refused

IMPORT_SECONDS = 10.0

logger = logging.getLogger(__name__)


class _NotLoadable(Exception):
    """Why an app cannot be loaded; raised inside the steps of loading."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


def load(discovered: Discovered, *, seconds: float = IMPORT_SECONDS) -> AppCode | Refused:
    """Import an app and return its code, or the reasons why it is refused; never raises.

    Waits at most `seconds` for the app, then abandons its thread.
    """
    done: queue.SimpleQueue[AppCode | Refused] = queue.SimpleQueue()
    threading.Thread(
        target=lambda: done.put(_load(discovered)), name=f"load-{discovered.app_id}", daemon=True
    ).start()
    try:
        return done.get(timeout=seconds)
    except queue.Empty:
        return Refused(discovered.app_id, (f"it was not imported within {seconds:g} seconds",))


def load_installed(app_id: str, found: Sequence[Discovered]) -> AppCode | Refused:
    """Import the app that exactly one installed package offers; see `load`."""
    if not found:
        return Refused(app_id, ("it is enabled, and no installed package provides it",))
    if len(found) > 1:
        names = ", ".join(each.distribution for each in found)
        return Refused(app_id, (f"several packages provide it: {names}; uninstall all but one",))
    return load(found[0])


def _load(discovered: Discovered) -> AppCode | Refused:
    record_code(discovered.app_id, discovered.entry_point.value.partition(":")[0].strip())
    try:
        with running_as(discovered.app_id):
            manager = _registered(discovered.entry_point.load())
            manifest = _manifest(manager, discovered.app_id)
        _require(*_problems(manager, manifest))
    except _NotLoadable as refused:
        return Refused(discovered.app_id, refused.reasons)
    except BaseException as error:
        logger.warning("app %s could not be loaded", discovered.app_id, exc_info=True)
        reason = cut(f"loading it raised {type(error).__name__}: {error}", MAX_MESSAGE)
        return Refused(discovered.app_id, (reason,))
    return AppCode(
        discovered.app_id, manifest, manager, discovered.distribution, discovered.version
    )


def _registered(plugin: object) -> pluggy.PluginManager:
    if inspect.isclass(plugin):
        raise _NotLoadable("its entry point names a class; name a module or an object")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(AppHooks)
    try:
        manager.register(plugin)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise _NotLoadable(" ".join(str(error).split())) from error
    return manager


def _manifest(manager: pluggy.PluginManager, app_id: str) -> Manifest:
    given = manager.hook.app_manifest()
    if not given:
        raise _NotLoadable("it does not implement app_manifest, or returns nothing from it")
    if inspect.iscoroutine(given[0]):
        given[0].close()
        raise _NotLoadable("its app_manifest is a coroutine; make it a plain function")
    if not isinstance(given[0], Mapping):
        raise _NotLoadable(f"its app_manifest returned {type(given[0]).__name__}, not an object")
    report = validate_manifest(given[0], registered_as=app_id)
    if report.manifest is None:
        raise _NotLoadable(*(f"manifest {each.sentence}" for each in report.problems))
    return report.manifest


def _problems(manager: pluggy.PluginManager, manifest: Manifest) -> Iterator[str]:
    if manifest.is_remote:
        yield "its manifest has a baseUrl; a plugin runs inside the host"
    # The first hook of a capability is required; others are for apps that need them.
    needed = (hooks_of(capability)[:1] for capability in sorted(manifest.capabilities))
    for hook in (hook for hooks in needed for hook in hooks):
        if not getattr(manager.hook, hook.name).get_hookimpls():
            yield f"it declares {hook.capability} and does not implement {hook.name}"
    for caller in manager.get_hookcallers(next(iter(manager.get_plugins()))) or ():
        if any(each.wrapper or each.hookwrapper for each in caller.get_hookimpls()):
            yield f"its {caller.name} is a wrapper; there is nothing to wrap in an app"


def _require(*problems: str) -> None:
    if problems:
        raise _NotLoadable(*problems)
