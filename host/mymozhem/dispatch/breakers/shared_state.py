"""Openings of breakers, shared by the processes of a host through the database.

Each process writes what its own breakers did and looks every second at what the others wrote, in
the background. On the way of a call the database is asked only by the candidate for a trial: the
claim is a compare-and-set, so that of all processes one tries the app at a time. Where the database
does not answer in a moment, the process decides alone.
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

#: how often a process looks at what the others wrote, in seconds
POLL_S = 1.0

#: how long a call waits for the database before its process decides alone, in seconds
CLAIM_S = 0.25

#: how long a process that stops tries to write what it has left to say, in seconds
FAREWELL_S = 1.0

logger = structlog.stdlib.get_logger(__name__)


class SharedBreakerState:
    """Shares the breakers of one process; give it to `Breakers`, then start it.

    Of what two processes say about one breaker, the first one to write it counts, and the other
    one adopts it. A reset counts against everything that was begun before.
    """

    def __init__(
        self, database: Database, clock: Clock, *, poll_s: float = POLL_S, claim_s: float = CLAIM_S
    ) -> None:
        self._database = database
        self._clock = clock
        self._claim_s = claim_s
        self._me = new_id("host")
        self._breakers = Breakers(clock)
        #: openings as they were last seen in the database
        self._seen: dict[Key, str] = {}
        #: breakers that changed here and are not written yet
        self._unwritten: set[Key] = set()
        # One thing at a time, so that nothing read before a write is adopted after it.
        self._turn = asyncio.Lock()
        self._task = PeriodicTask("openings", self.exchange, every=poll_s)
        self._claims: set[asyncio.Task[bool]] = set()
        self._away = False

    def attach(self, breakers: Breakers) -> None:
        """Share these breakers; done by `Breakers` itself."""
        self._breakers = breakers

    def start(self) -> None:
        """Start to write and to look, in the running event loop; idempotent."""
        self._task.start()

    async def stop(self) -> None:
        """Write what is left, for a moment, and end; safe when it was never started."""
        await self._task.stop()
        claims = list(self._claims)
        for claim in claims:
            claim.cancel()
        await asyncio.gather(*claims, return_exceptions=True)
        if self._unwritten:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.exchange(), FAREWELL_S)

    async def exchange(self) -> None:
        """Write what changed here and adopt what others wrote, once.

        What the background does each second; for programs without it, and for tests. Never raises
        for the database's sake: what could not be written is kept for the next time.
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
        """Have a breaker written in the background; returns at once."""
        self._unwritten.add(key)
        self._task.wake()

    async def claim(self, key: Key) -> bool:
        """Return whether this process may try the app now.

        When not, the breaker has adopted what the others know. An opening that could not be shared
        yet, or a database that does not answer within `claim_s`, leaves it to this process alone.
        """
        if key not in self._seen:
            return True
        # A task of its own, as a commit that has begun cannot be cut short by a deadline.
        task = asyncio.create_task(self._claim(key), name="claim of a trial", context=Context())
        self._claims.add(task)
        task.add_done_callback(self._claims.discard)
        try:
            await asyncio.wait({task}, timeout=self._claim_s)
        finally:
            if not task.done():
                task.cancel()
                task.add_done_callback(lambda _: self.changed(key))  # it may have been granted
        if not task.done() or task.cancelled():
            return True
        return task.result()

    async def forget(self, key: Key) -> None:
        """Close a breaker here, and in the other processes when they look.

        Raises `Unavailable`, and changes nothing, while the database is away.
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
            except IntegrityError:  # another process wrote it first; the next look is at theirs
                self.changed(key)
            except (Unavailable, asyncio.CancelledError):
                self._unwritten.add(key)
                raise
            except Exception:  # one that cannot be written must not keep the others back
                logger.exception("an opening could not be written", key=key)

    async def _write(self, key: Key) -> None:
        async with self._database.write() as unit:
            row = await unit.session.get(BreakerOpeningRow, key, with_for_update=True)
            # Looked at with the row locked: a claim that comes meanwhile waits, and then counts.
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
        """Log that breakers are not shared, and that they are again: once each."""
        if (error is not None) == self._away:
            return
        self._away = error is not None
        if error is not None:
            logger.warning("breakers are not shared", error=repr(error))
        else:
            logger.info("breakers are shared again")
