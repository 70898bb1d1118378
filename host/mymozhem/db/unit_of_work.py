"""The only place that commits.

`Database.read()` returns a snapshot, `Database.write()` a unit of work that is one transaction. No
code may call an app while a transaction is open; see `in_transaction()`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.pool import QueuePool

from mymozhem.clock import Clock, SystemClock, milliseconds
from mymozhem.concurrency.keyed_locks import KeyedLocks
from mymozhem.db.all_tables import import_tables
from mymozhem.db.engine import create_engine, parse_url
from mymozhem.db.process_lock import ProcessLock
from mymozhem.errors import Unavailable

from .error_translation import reaching_the_database

logger = logging.getLogger(__name__)

#: how long a writer waits for others who write the same thing
TURN_SECONDS = 10.0


class TooManyWriters(Unavailable):
    """Too many requests change the same thing; nothing was changed. Try again in a moment."""

    default_code = "TOO_MANY_WRITERS"


class _Transaction:
    """Whether a transaction is open; tasks that start inside it share the object."""

    def __init__(self) -> None:
        self.open = True


_current: ContextVar[_Transaction | None] = ContextVar("mymozhem_transaction", default=None)


def in_transaction() -> bool:
    """Return whether this task, or one that started it, has a transaction open."""
    transaction = _current.get()
    return transaction is not None and transaction.open


class UnitOfWork:
    """A transaction that writes; it commits when its block ends and rolls back if the block fails.

    `session` is SQLAlchemy's session. `now` is the database's clock when the transaction began, in
    UTC with milliseconds, and `began` the same moment in the process's monotonic seconds.
    """

    def __init__(self, session: AsyncSession, *, now: datetime, began: float) -> None:
        self.session = session
        self.now = now
        self.began = began
        self._callbacks: list[Callable[[], None]] = []

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Run a callback after the commit: callbacks run in order, and never after a rollback.

        It must not block. Its errors are logged, since the work is already done.
        """
        self._callbacks.append(callback)

    def _announce(self) -> None:
        for callback in self._callbacks:
            try:
                callback()
            except Exception:  # the commit stands, even if a callback fails
                logger.exception("an announcement after a commit failed")


class Database:
    """The database of one host; open it, read, write, close it.

    Reads and writes raise `Unavailable` while the database is unreachable, busy or full; constraint
    violations pass through as SQLAlchemy's `IntegrityError`. If the connection breaks during a
    commit, its outcome is unknown: it raises, and a retry is up to the caller.
    """

    def __init__(self, url: str, *, clock: Clock) -> None:
        import_tables()
        parsed = parse_url(url)
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql"
        )
        self._clock = clock
        # Any clock other than the machine's is used everywhere, so that tests can control time.
        self._own_clock = self.dialect == "sqlite" or not isinstance(clock, SystemClock)
        self._file = Path(parsed.database or "") if self.dialect == "sqlite" else None
        self._process = ProcessLock(self._file) if self._file is not None else None
        self._writer = create_engine(url)
        self._reader = create_engine(url, readonly=True)
        self._turn: AbstractAsyncContextManager[object] = (
            asyncio.Lock() if self._file is not None else nullcontext()
        )
        self._turns: KeyedLocks[str] = KeyedLocks()

    async def open(self, *, exclusive: bool = True) -> None:
        """Take the process lock (SQLite) and connect to the database once.

        Commands that run next to a host pass `exclusive=False`. Raises `AlreadyRunning` if another
        host holds the file, `Unavailable` if the database cannot be reached.
        """
        if self._process is not None and exclusive:
            self._process.acquire()
        try:
            await self._reach()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Wait for the current write, close every connection and release the lock. Idempotent."""
        async with self._turn:
            await self._writer.dispose()
        await self._reader.dispose()
        if self._process is not None:
            self._process.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a session on one consistent snapshot; it cannot write, and commits nothing."""
        _require_no_nesting()
        async with _session(self._reader) as session:
            await self._begin(session)
            yield session

    @asynccontextmanager
    async def write(self, *, turn: str | None = None) -> AsyncIterator[UnitOfWork]:
        """Open one transaction: committed at the end of the block, rolled back on any error.

        `turn` is the id of the row that the transaction locks first, if others may want it at the
        same time. Those wait here, without a connection, and only one of them waits in the
        database: so many writers of one room never take the connections of other rooms.

        On SQLite, writers take turns in the order of their calls. On PostgreSQL, the isolation
        level is READ COMMITTED, so lock the row first and check afterwards. A commit that has begun
        is waited for even if the task is cancelled. Raises `RuntimeError` inside a transaction,
        `TooManyWriters` if the turn does not come in time.
        """
        _require_no_nesting()
        async with AsyncExitStack() as held:
            if turn is not None:
                await self._take_turn(held, turn)
            await held.enter_async_context(self._turn)
            session = await held.enter_async_context(_session(self._writer))
            await self._begin(session)
            now = await self._now(session)
            unit = UnitOfWork(session, now=now, began=self._clock.monotonic())
            yield unit
            await _to_the_end(_commit(unit))

    async def _take_turn(self, held: AsyncExitStack, turn: str) -> None:
        try:
            await held.enter_async_context(self._turns.hold(turn, seconds=TURN_SECONDS))
        except TimeoutError as error:
            raise TooManyWriters from error

    def connections_in_use(self) -> dict[str, int]:
        """Return how many connections are in use, by pool: the writer's and the reader's."""
        pools = {"writer": self._writer.pool, "reader": self._reader.pool}
        return {
            name: pool.checkedout() for name, pool in pools.items() if isinstance(pool, QueuePool)
        }

    async def now(self) -> datetime:
        """Return the database's clock, or a test's, in UTC and truncated to milliseconds."""
        if self._own_clock:
            return self._clock.now()
        async with _session(self._reader) as session:
            await self._begin(session)
            return await self._now(session)

    async def clock_skew(self) -> timedelta:
        """Return how far the database's clock is ahead of this machine's; zero if it is its own.

        The middle of the round trip is compared, so the error is at most half of it.
        """
        if self._own_clock:
            return timedelta()
        async with _session(self._reader) as session:
            await self._begin(session)
            before = self._clock.now()
            database = await self._now(session)
            after = self._clock.now()
        return database - (before + (after - before) / 2)

    async def _begin(self, session: AsyncSession) -> None:
        with reaching_the_database():
            await session.connection()

    async def _now(self, session: AsyncSession) -> datetime:
        if self._own_clock:
            return self._clock.now()
        return milliseconds((await session.execute(select(func.clock_timestamp()))).scalar_one())

    async def _reach(self) -> None:
        # The writer comes first: it creates a SQLite file and sets its journal.
        for engine in (self._writer, self._reader):
            with reaching_the_database():
                async with engine.connect() as connection:
                    await connection.execute(select(1))


def _require_no_nesting() -> None:
    if in_transaction():
        message = "a transaction is already open here; pass its session on instead of a second one"
        raise RuntimeError(message)


@asynccontextmanager
async def _session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """Open a session and mark it; it is closed in any case, which rolls back uncommitted work."""
    session = AsyncSession(engine, expire_on_commit=False)
    transaction = _Transaction()
    token = _current.set(transaction)
    try:
        yield session
    finally:
        transaction.open = False
        _current.reset(token)
        await _to_the_end(session.close())


async def _commit(unit: UnitOfWork) -> None:
    await unit.session.commit()
    if (transaction := _current.get()) is not None:
        transaction.open = False
    unit._announce()  # noqa: SLF001 - the unit and its commit belong together


async def _to_the_end(work: Coroutine[object, object, None]) -> None:
    """Wait for work even if cancelled meanwhile, and raise the cancellation afterwards.

    Otherwise, a cancelled task could report failure for what was stored, or let the next writer
    start while its own transaction still locks the file.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from task.exception()
    task.result()
