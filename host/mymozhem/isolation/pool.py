"""All workers of one host process: started on demand, shared, and stopped when idle."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from mymozhem.config import Settings
from mymozhem.registry.isolated.environments import interpreter, log_folder
from mymozhem.registry.isolated.os_user import OsUser, os_user_for
from mymozhem.registry.loaded_code import IsolatedCode

from .errors import NotStarted, Resting
from .restart_backoff import deaths_after, deaths_before, rest_seconds
from .worker import LOG_NAME, STOP_SECONDS, Launch, Worker

#: a worker that misses this many deadlines in a row is replaced: it hangs, or all its threads do
MOST_MISSES = 5

logger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class WorkerStatus:
    """A worker as operators see it; `pid` and `since` are None if none runs.

    `user` is the worker's user, and `note` a remark about it; both are None before the first
    start. `last_end` says how the last worker ended. `rests` are the seconds until it may be
    started again after repeated deaths.
    """

    app_id: str
    name: str
    pid: int | None
    since: datetime | None
    running: int
    starts: int
    user: str | None
    note: str | None
    last_end: str | None
    rests: float
    log: Path


class Workers:
    """Starts and stops isolated code; used from one event loop.

    Only a call starts a worker. After a worker dies, the next call starts another one: immediately
    after the first death, with increasing back-off after repeated deaths.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places: dict[tuple[Path, bool], _Place] = {}
        self._closed = False

    @asynccontextmanager
    async def use(self, code: IsolatedCode) -> AsyncIterator[Worker]:
        """Enter with a worker that can be called; it is not stopped while a caller is inside.

        Concurrent callers wait for the same start; the cancellation of one does not end it. Raises
        `NotStarted`, and `Resting` without waiting.
        """
        place = self._place(code)
        place.enter()
        try:
            yield await place.worker()
        finally:
            place.leave()

    def missed(self, worker: Worker) -> None:
        """Record that a worker missed a deadline, or cannot be called although it runs.

        After five in a row, the worker is replaced.
        """
        worker.misses += 1
        if worker.misses >= MOST_MISSES:
            self._places[_key(worker.code)].replace(worker)

    def status(self) -> tuple[WorkerStatus, ...]:
        """Return the status of each worker that was ever used, by name."""
        places = sorted(self._places.values(), key=lambda each: each.code.name)
        return tuple(place.status() for place in places)

    async def close(self) -> None:
        """End every worker and wait until all their processes are gone. Idempotent."""
        self._closed = True
        ends = [end for place in self._places.values() for end in place.close()]
        if ends:
            await asyncio.wait(ends, timeout=2 * STOP_SECONDS)

    def _place(self, code: IsolatedCode) -> "_Place":
        if self._closed:
            raise NotStarted("The host is stopping; it starts no more workers.")
        key = _key(code)
        if key not in self._places:
            self._places[key] = _Place(code, self._settings)
        return self._places[key]


def _key(code: IsolatedCode) -> tuple[Path, bool]:
    return code.folder, code.as_root  # the folder's name says which wheel is in it


class _Place:
    """The worker of one environment, and the history of its predecessors."""

    def __init__(self, code: IsolatedCode, settings: Settings) -> None:
        self.code = code
        self._idle_seconds = settings.isolated_idle_seconds
        account = partial(
            os_user_for,
            settings.isolated_user,
            interpreter(code.folder),
            settings.data_dir,
            as_root=code.as_root,
        )
        self._launch = Launch(
            code,
            account=_kept_apart(account),
            memory_mb=settings.isolated_memory_mb,
            start_seconds=settings.isolated_start_seconds,
        )
        self._worker: Worker | None = None
        self._leaving: set[Worker] = set()
        self._since: datetime | None = None
        self._account: OsUser | None = None
        self._running = 0
        self._starts = 0
        self._deaths = 0
        self._rests_until = 0.0
        self._last_end: str | None = None
        self._idle: asyncio.TimerHandle | None = None

    def enter(self) -> None:
        """Count a caller."""
        self._running += 1
        self._not_idle()

    def leave(self) -> None:
        """Discount a caller; after the last one, the worker stops when it was idle for a while."""
        self._running -= 1
        self._idle_from_now()

    async def worker(self) -> Worker:
        """Return the worker once it can be called; starts it if none runs."""
        worker = self._worker or self._begin()
        await asyncio.shield(worker.ready)
        return worker

    def status(self) -> WorkerStatus:
        """Return the status."""
        left = self._rests_until - asyncio.get_running_loop().time()
        worker = self._worker
        return WorkerStatus(
            app_id=self.code.app_id,
            name=self.code.name,
            pid=worker.pid if worker is not None else None,
            since=self._since if worker is not None else None,
            running=self._running,
            starts=self._starts,
            user=self._account.name if self._account is not None else None,
            note=self._account.note if self._account is not None else None,
            last_end=self._last_end,
            rests=max(0.0, left) if worker is None else 0.0,
            log=self._log,
        )

    def replace(self, worker: Worker) -> None:
        """Make the next call start another worker; current calls of this one move there, too."""
        if self._worker is worker:
            facts = self._facts(worker)
            logger.warning("worker hangs and is replaced", misses=worker.misses, **facts)
            self._stop()

    def close(self) -> "list[asyncio.Future[str]]":
        """Stop permanently; return a future that is done when all processes are gone."""
        self._stop()
        return [worker.ended for worker in self._leaving]

    def _idle_from_now(self) -> None:
        """Stop the worker after an idle time without calls; never while it is starting."""
        self._not_idle()
        if self._running == 0 and self._worker is not None and self._worker.ready.done():
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._idle_seconds, self._stop)

    def _not_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _stop(self) -> None:
        self._not_idle()
        if self._worker is not None:
            self._worker.stop()
            self._part()

    def _part(self) -> None:
        """Detach the worker, which is ending, so that the next call starts another one."""
        if self._worker is not None:
            self._leaving.add(self._worker)
            self._worker = None

    def _begin(self) -> "Worker":
        rest = self._rests_until - asyncio.get_running_loop().time()
        if rest > 0:
            raise Resting(
                f"The worker of {self.code.app_id} ended {self._deaths} times in a row; it is "
                f"started again in {rest:.1f} seconds at the earliest."
            )
        worker = Worker(self._launch)
        self._worker, self._since = worker, datetime.now(UTC)
        self._starts += 1
        worker.ready.add_done_callback(lambda _: self._began(worker))
        worker.ended.add_done_callback(lambda _: self._ended(worker))
        return worker

    def _began(self, worker: Worker) -> None:
        known, self._account = self._account, worker.account or self._account
        failed = worker.ready.exception()
        if failed is not None:
            self._died(worker, failed.detail if isinstance(failed, NotStarted) else str(failed))
            return
        note = worker.account.note if worker.account is not None else None
        if note is not None and (known is None or known.note != note):
            logger.warning("user of an isolated app", note=note, **self._facts(worker))
        logger.info("worker started", **self._facts(worker))
        self._idle_from_now()

    def _ended(self, worker: Worker) -> None:
        self._leaving.discard(worker)
        how = worker.ended.result()
        if worker.ready.exception() is not None:
            return  # `_began` has recorded its death
        if worker.stopping:
            self._last_end = how
            self._deaths = deaths_before(self._deaths, worker.seconds)
            logger.info("worker stopped", how=how, **self._facts(worker))
        else:
            self._died(worker, how)

    def _died(self, worker: Worker, how: str) -> None:
        if self._worker is worker:
            if not worker.ended.done():
                self._leaving.add(worker)
            self._worker = None
        self._last_end = how
        self._deaths = deaths_after(self._deaths, worker.seconds)
        self._rests_until = asyncio.get_running_loop().time() + rest_seconds(self._deaths)
        logger.warning("worker died", how=how, log=str(self._log), **self._facts(worker))

    @property
    def _log(self) -> Path:
        return log_folder(self.code.folder) / LOG_NAME

    def _facts(self, worker: Worker) -> dict[str, object]:
        user = worker.account.name if worker.account is not None else None
        code = self.code
        return {
            "app": code.app_id,
            "version": code.manifest.version,
            "worker": code.name,
            "user": user,
            "pid": worker.pid,
        }


def _kept_apart(find: Callable[[], OsUser]) -> Callable[[], OsUser]:
    """Keep a separate user once it was found; an obstacle to it may be gone next time."""
    kept: list[OsUser] = []

    def account() -> OsUser:
        if kept:
            return kept[0]
        found = find()
        if found.apart:
            kept.append(found)
        return found

    return account
