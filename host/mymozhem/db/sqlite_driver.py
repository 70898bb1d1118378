"""aiosqlite with one switch to its thread per statement, instead of three or more.

SQLAlchemy opens a cursor, executes, fetches and closes it, and aiosqlite switches to its thread and
back for each, which costs more than a small statement does. SQLAlchemy's hook for another driver
is the connect argument `async_creator_fn`.
"""

import os
import sqlite3
import stat
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Self

import aiosqlite

_ITERATION_CHUNK = 64  # aiosqlite needs it for its own cursors, which are not used here

Row = tuple[Any, ...]


class EagerCursor:
    """A cursor that has all its rows when `execute` returns; the other methods do not wait."""

    def __init__(self, connection: "EagerConnection") -> None:
        self._connection = connection
        self._rows: deque[Row] = deque()
        self.description: tuple[Any, ...] | None = None
        self.rowcount = -1
        self.lastrowid = -1
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, operation: str, parameters: Iterable[Any] = ()) -> Self:
        """Run one statement and fetch its rows."""
        await self._connection.in_thread(partial(self._run, operation, parameters))
        return self

    async def executemany(self, operation: str, parameters: Iterable[Row]) -> Self:
        """Run one statement once for each set of parameters."""
        await self._connection.in_thread(partial(self._run_many, operation, parameters))
        return self

    async def fetchone(self) -> Row | None:
        """Return the next row, `None` after the last."""
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """Return the next rows, by default `arraysize`."""
        wanted = min(size or self.arraysize, len(self._rows))
        return [self._rows.popleft() for _ in range(wanted)]

    async def fetchall(self) -> list[Row]:
        """Return the rows that are left."""
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def close(self) -> None:
        """Release the rows; the statement itself is closed already."""
        self._rows.clear()

    def _run(self, operation: str, parameters: Iterable[Any]) -> None:
        self._keep(self._connection.begun().execute(operation, tuple(parameters)))

    def _run_many(self, operation: str, parameters: Iterable[Row]) -> None:
        self._keep(self._connection.begun().executemany(operation, parameters))

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        if cursor.description is not None:
            self._rows.extend(cursor.fetchall())
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid or -1
        cursor.close()


class EagerConnection(aiosqlite.Connection):
    """aiosqlite's connection with eager cursors; a transaction begins with its first statement."""

    _pending: str | None = None
    _used = True

    def begin(self, statement: str) -> None:
        """Mark a transaction, which begins with its first statement; an empty one costs nothing."""
        self._pending, self._used = statement, False

    def begun(self) -> sqlite3.Connection:
        """Return the driver's own connection with its transaction begun; only in its thread."""
        if self._pending is not None:
            # Kept if it fails: later statements must never run outside the transaction.
            self._conn.execute(self._pending)
            self._pending = None
        return self._conn

    async def commit(self) -> None:
        """Commit the transaction, if one has begun."""
        if self._used:
            await super().commit()
        self._pending = None

    async def rollback(self) -> None:
        """Roll back the transaction, if one has begun, even by a cancelled statement."""
        if self._used:
            await super().rollback()
        self._pending = None

    async def in_thread(self, work: Callable[[], None]) -> None:
        """Run work in the connection's thread, after the work that is queued there."""
        self._used = True
        await self._execute(work)  # type: ignore[no-untyped-call] # aiosqlite left it untyped

    def cursor(self) -> EagerCursor:  # type: ignore[override] # SQLAlchemy takes any such cursor
        """Return a cursor, without a switch to the thread."""
        return EagerCursor(self)


def connect(database: str, **options: Any) -> Awaitable[aiosqlite.Connection]:  # noqa: ANN401 - sqlite3's own
    """Open a connection as `aiosqlite.connect` does; awaiting it connects.

    Other users cannot read the file: neither a new one nor one that exists. SQLite gives the files
    beside it the same permissions.
    """
    connection = EagerConnection(partial(_connect, database, **options), _ITERATION_CHUNK)
    # A non-daemon thread would keep a process alive that left a connection open.
    connection._thread.daemon = True  # noqa: SLF001 - aiosqlite has no other way
    return connection


def _connect(database: str, **options: Any) -> sqlite3.Connection:  # noqa: ANN401 - sqlite3's own
    if not options.get("uri"):
        _close_to_others(database)
    connection: sqlite3.Connection = sqlite3.connect(database, **options)
    return connection


def _close_to_others(database: str) -> None:
    """Create the file for its owner only; take the rights of others from files that exist.

    The file is never opened here: to close it would release SQLite's locks of this process.
    """
    with suppress(OSError):  # it exists, or SQLite says what is wrong with the path
        os.mknod(database, stat.S_IFREG | 0o600)
    for path in (database, f"{database}-wal", f"{database}-shm"):
        with suppress(OSError):  # it is missing, or another user's
            mode = stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116  a text, as SQLite has it
            if mode & stat.S_IRWXO:
                os.chmod(path, mode & ~stat.S_IRWXO)  # noqa: PTH101  likewise
