"""Keep rooms served: record what serves them, and install missing code in isolation."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial

import structlog

from mymozhem.concurrency.backoff import Backoff
from mymozhem.concurrency.periodic_task import UNTIL_WOKEN, PeriodicTask
from mymozhem.config import Settings
from mymozhem.errors import MymozhemError
from mymozhem.monitoring.sources import Orphans
from mymozhem.registry import discovery, manifest_history
from mymozhem.registry.isolated.install import install as install_app
from mymozhem.rooms.core.services import Services

from .advice import bring_back, requirement_of
from .serving import Group, Locked, ServingRecorder

#: the waits between two attempts to install the same distribution
INSTALL_BACKOFF = Backoff(first=60.0, longest=3_600.0)

#: seconds after which rooms are looked at again while some are orphaned: they may be over
LOOK_AGAIN = 60.0

#: seconds after which the rooms are looked at again if that failed
AGAIN = 5.0

#: installs one version of one distribution in an environment of its own; it waits, so in a thread
Install = Callable[[str, Settings], object]

logger = structlog.stdlib.get_logger(__name__)


@dataclass
class _Missing:
    """Code that rooms are locked to and that is not installed; `due` is in monotonic seconds."""

    attempts: int = 0
    due: float = 0.0


@dataclass
class _Known:
    """What this process has already logged and tried."""

    orphans: tuple[Orphans, ...] = ()
    warned: set[tuple[str, str]] = field(default_factory=set)
    missing: dict[str, _Missing] = field(default_factory=dict)


class LockReconciler:
    """Reconciles the rooms of a host in the background: at its start, and when apps change.

    If an enabled plugin is installed in a version that does not serve a room, the version that the
    room is locked to is installed in an isolated environment. Nothing is installed for apps that
    the operator has disabled or uninstalled, nor if `isolated_automatically` is off.
    """

    def __init__(self, services: Services, *, install: Install = install_app) -> None:
        self._services = services
        self._served = ServingRecorder(services)
        self._install = install
        self._known = _Known()
        self._task = PeriodicTask("lock reconciler", self._look, every=AGAIN)
        self._installing: asyncio.Task[None] | None = None
        services.catalog.when_refreshed(self._task.wake)

    def start(self) -> None:
        """Start in the running event loop; idempotent."""
        self._task.start()

    async def stop(self) -> None:
        """Stop; idempotent. A running installation is left to finish."""
        await self._task.stop()
        installing = self._installing
        if installing is not None:
            installing.cancel()
            await asyncio.gather(installing, return_exceptions=True)

    def orphans(self) -> Sequence[Orphans]:
        """Return the apps whose rooms nothing serves, as of the last check."""
        return self._known.orphans

    async def run_due(self) -> None:
        """Record what serves the rooms, and make one attempt at every due installation."""
        await self._look()
        if self._installing is not None:
            await self._installing

    async def _look(self) -> float:
        """Do what is due; return the seconds until the next due time, or None without one."""
        orphans = await self._served.note()
        wanted = await self._wanted(orphans)
        known = self._known.missing
        self._known.missing = {each: known.get(each, _Missing()) for each in wanted}
        now = self._services.clock.monotonic()
        due = [name for name, missing in self._known.missing.items() if missing.due <= now]
        if due and self._installing is None:
            self._installing = asyncio.create_task(
                self._install_all(due), name="install what is missing", context=Context()
            )
        if self._installing is not None or not self._known.missing:
            return LOOK_AGAIN if orphans else UNTIL_WOKEN
        soonest = min(missing.due for missing in self._known.missing.values())
        return min(max(0.0, soonest - now), LOOK_AGAIN)

    async def _install_all(self, due: Sequence[str]) -> None:
        """Install one after the other, while the checks of rooms go on."""
        try:
            for requirement in due:
                missing = self._known.missing.get(requirement)
                if missing is not None:
                    await self._try(requirement, missing)
        finally:
            self._installing = None
            self._task.wake()

    async def _wanted(self, orphans: Sequence[Group]) -> list[str]:
        """Return what to install, each version once; log a warning for every new orphan."""
        enabled, installed = await self._plugins() if orphans else (frozenset(), frozenset())
        advice = {
            group.locked: bring_back(
                group.locked.app_id, group.target, enabled=group.locked.app_id in enabled
            )
            for group in orphans
        }
        self._known.orphans = _by_app(orphans, advice)
        self._warn(orphans, advice)
        if not self._services.settings.isolated_automatically:
            return []
        wanted = {
            requirement_of(group.target)
            for group in orphans
            if group.locked.app_id in enabled & installed
        }
        return sorted(each for each in wanted if each is not None)

    def _warn(self, orphans: Sequence[Group], advice: Mapping[Locked, str]) -> None:
        """Log one line for each version that has become orphaned."""
        warned = set()
        for group in orphans:
            app_id, version, _ = group.locked
            warned.add((app_id, version))
            if (app_id, version) not in self._known.warned:
                facts = {"app": app_id, "version": version, "rooms": group.rooms}
                logger.warning("rooms are orphaned", do=advice[group.locked], **facts)
        self._known.warned = warned

    async def _plugins(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids of the enabled apps, and of the installed ones."""
        async with self._services.database.read() as session:
            active = await manifest_history.active_plugins(session)
        found = await asyncio.to_thread(discovery.discover)
        settings = self._services.settings
        return active | set(settings.enable_apps), frozenset(each.app_id for each in found)

    async def _try(self, requirement: str, missing: _Missing) -> None:
        logger.info("installing what rooms are locked to", requirement=requirement)
        missing.attempts += 1
        wait = INSTALL_BACKOFF.seconds(missing.attempts)
        missing.due = self._services.clock.monotonic() + wait
        facts = {"requirement": requirement, "again_in_seconds": wait}
        try:
            await _apart(partial(self._install, requirement, self._services.settings))
            await self._services.catalog.refresh()
        except MymozhemError as error:
            logger.warning("it could not be installed", reason=error.message, **facts)
        except Exception:  # the next attempt may succeed, and others are due
            logger.exception("it could not be installed", **facts)


def _by_app(orphans: Sequence[Group], advice: Mapping[Locked, str]) -> tuple[Orphans, ...]:
    found: dict[str, Orphans] = {}
    for group in orphans:
        app_id, version, _ = group.locked
        known = found.get(app_id, Orphans(app_id, (), 0, 0, advice[group.locked]))
        found[app_id] = known._replace(
            versions=tuple(dict.fromkeys((*known.versions, version))),
            rooms=known.rooms + group.rooms,
            active=known.active + group.active,
        )
    return tuple(found.values())


async def _apart(work: Callable[[], object]) -> None:
    """Run work in a daemon thread, which the end of the process does not wait for.

    It may take minutes; a host that stops would wait for a thread of a pool.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001  passed to the waiting task
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, done, error)

    threading.Thread(target=run, name="install", daemon=True).start()
    await done


def _settle(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.cancelled():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(None)
