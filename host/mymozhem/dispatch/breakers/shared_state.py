"""Share the openings of breakers between the processes of a host, through the database.

In the background, each process writes the changes of its own breakers, and reads every second what
the others wrote. A call queries the database only if it would be a trial: it claims the trial by
compare-and-set, so that only one process at a time tries the app. If the database does not answer
in time, the process decides alone.
"""

import asyncio
from contextlib import suppress
from contextvars import Context
from datetime import timedelta

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from mymozhem.clock import Clock
from mymozhem.concurrency.periodic_task import PeriodicTask
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.dispatch.tables import BreakerOpeningRow
from mymozhem.errors import Unavailable

from . import queries as rows
from .breaker import Breaker, Key, Opening
from .registry import Breakers

#: how often a process reads what the others wrote, in seconds
POLL_S = 1.0

#: how long a call waits for the database before its process decides alone, in seconds
CLAIM_S = 0.25

#: how long a stopping process tries to write its pending changes, in seconds
FAREWELL_S = 1.0

logger = structlog.stdlib.get_logger(__name__)


class SharedBreakerState:
    """Shares the breakers of one process; pass it to `Breakers`, then start it.

    If two processes change one breaker, the first write wins, and the other process adopts it. A
    reset overrides everything that began before it.
    """

    def __init__(
        self, database: Database, clock: Clock, *, poll_s: float = POLL_S, claim_s: float = CLAIM_S
    ) -> None:
        self._database = database
        self._clock = clock
        self._claim_s = claim_s
        self._me = new_id("host")
        self._breakers = Breakers(clock)
        #: openings as last read from the database
        self._seen: dict[Key, str] = {}
        #: breakers that changed here and are not written yet
        self._unwritten: set[Key] = set()
        # One at a time, so that nothing that was read before a write is adopted after it.
        self._turn = asyncio.Lock()
        self._task = PeriodicTask("openings", self.exchange, every=poll_s)
        self._claims: set[asyncio.Task[bool]] = set()
        self._away = False

    def attach(self, breakers: Breakers) -> None:
        """Share these breakers; `Breakers` calls this."""
        self._breakers = breakers

    def start(self) -> None:
        """Start to write and read in the background, in the running event loop. Idempotent."""
        self._task.start()

    async def stop(self) -> None:
        """Write pending changes, within a timeout, and stop; does nothing if never started."""
        await self._task.stop()
        claims = list(self._claims)
        for claim in claims:
            claim.cancel()
        await asyncio.gather(*claims, return_exceptions=True)
        if self._unwritten:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.exchange(), FAREWELL_S)

    async def exchange(self) -> None:
        """Write the changes of this process and adopt those of others, once.

        The background task calls this each second; programs without one and tests call it
        themselves. Never raises if the database fails: pending changes stay for the next call.
        """
        try:
            async with self._turn:
                await self._write_all()
                await self._look()
        except Exception as error:  # noqa: BLE001 - whatever breaks here, calls go on
            self._note(error)
        else:
            self._note(None)

    def changed(self, key: Key) -> None:
        """Schedule a write of a breaker in the background; does not block."""
        self._unwritten.add(key)
        self._task.wake()

    async def claim(self, key: Key) -> bool:
        """Return whether this process may start a trial now.

        If not, the breaker has adopted the state of the others. If the opening is not shared yet,
        or the database does not answer within `claim_s`, this process decides alone.
        """
        if key not in self._seen:
            return True
        # A separate task, because a timeout cannot interrupt a commit that has begun.
        task = asyncio.create_task(self._claim(key), name="claim of a trial", context=Context())
        self._claims.add(task)
        task.add_done_callback(self._claims.discard)
        try:
            await asyncio.wait({task}, timeout=self._claim_s)
        finally:
            if not task.done():
                task.cancel()
                task.add_done_callback(lambda _: self.changed(key))  # the claim may have succeeded
        if not task.done() or task.cancelled():
            return True
        return task.result()

    async def forget(self, key: Key) -> None:
        """Close a breaker here now, and in the other processes at their next read.

        Raises `Unavailable`, and changes nothing, while the database is unreachable.
        """
        async with self._turn:
            async with self._database.write() as unit:
                await unit.session.execute(delete(BreakerOpeningRow).where(*rows.of(key)))
            self._unwritten.discard(key)
            self._adopt(key, None)

    async def _claim(self, key: Key) -> bool:
        try:
            async with self._turn, self._database.write() as unit:
                lease = timedelta(seconds=self._breakers.policy.lease_s)
                seen = self._seen.get(key, "")
                granted = await rows.claim(unit, key, opening=seen, by=self._me, lease=lease)
                row = await unit.session.get(BreakerOpeningRow, key)
                opening = rows.read(row, self._me, unit.now, unit.began)
        except Exception as error:  # noqa: BLE001 - whatever breaks here, the call goes on
            self._note(error)
            return True
        self._adopt(key, opening)
        return granted

    async def _write_all(self) -> None:
        for key in sorted(self._unwritten):
            self._unwritten.discard(key)
            try:
                await self._write(key)
            except IntegrityError:  # another process wrote it first; the next read adopts it
                self.changed(key)
            except (Unavailable, asyncio.CancelledError):
                self._unwritten.add(key)
                raise
            except Exception:  # a failed write must not delay the others
                logger.exception("an opening could not be written", key=key)

    async def _write(self, key: Key) -> None:
        async with self._database.write() as unit:
            row = await unit.session.get(BreakerOpeningRow, key, with_for_update=True)
            # Read with the row locked: a concurrent claim waits, and then counts.
            breaker = self._breakers.find(key)
            shared = row.opening if row is not None else None
            overruled = shared != self._seen.get(key)
            opening = rows.read(row, self._me, unit.now, unit.began)
            written = breaker.opening
            if row is not None and not overruled:
                await self._update(unit, row, breaker)
            elif row is None and not overruled and written is not None:
                unit.session.add(rows.fill(BreakerOpeningRow(**key._asdict()), unit, breaker))
        if overruled:
            self._adopt(key, opening)
        else:
            self._see(key, written)

    async def _update(self, unit: UnitOfWork, row: BreakerOpeningRow, breaker: Breaker) -> None:
        if breaker.opening is None:
            await unit.session.delete(row)
            return
        if breaker.opening != row.opening:
            rows.fill(row, unit, breaker)
        row.successes = breaker.successes
        if row.probe == self._me and not breaker.is_trying(self._clock.monotonic()):
            row.probe = row.probe_until = None

    async def _look(self) -> None:
        async with self._database.read() as session:
            found = await rows.read_all(session)
        now = await self._database.now() if found else self._clock.now()
        began = self._clock.monotonic()
        for key in (found.keys() | self._seen.keys()) - self._unwritten:
            self._adopt(key, rows.read(found.get(key), self._me, now, began))

    def _adopt(self, key: Key, opening: Opening | None) -> None:
        self._see(key, opening.id if opening is not None else None)
        self._breakers.adopt(key, opening)

    def _see(self, key: Key, opening: str | None) -> None:
        if opening is None:
            self._seen.pop(key, None)
        else:
            self._seen[key] = opening

    def _note(self, error: Exception | None) -> None:
        """Log once that sharing fails, and once that it works again."""
        if (error is not None) == self._away:
            return
        self._away = error is not None
        if error is not None:
            logger.warning("breakers are not shared", error=repr(error))
        else:
            logger.info("breakers are shared again")
