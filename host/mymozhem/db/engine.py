"""Engines for SQLite and PostgreSQL with strict transactions."""

from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mymozhem.errors import MymozhemError

from . import json_text, sqlite_driver
from .error_translation import translate_faults

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}

BUSY_SECONDS = "5"
"""How long a SQLite statement waits for another's lock; `?timeout=` in the address overrides it."""

MIGRATING_SECONDS = "60"
"""How many seconds a migration waits for another one."""


class DatabaseUrlRefused(MymozhemError, ValueError):
    """This is not an address of a database that can be used."""

    default_code = "DATABASE_URL_REFUSED"


def parse_url(url: str) -> URL:
    """Parse a database's address and set its driver.

    Raises `DatabaseUrlRefused` for an engine other than SQLite and PostgreSQL, and for SQLite
    without a file: two connections to memory would be two databases.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUrlRefused from error  # the original message would show the password
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        message = f"{parsed.get_backend_name()} is not supported; use sqlite:/// or postgresql://"
        raise DatabaseUrlRefused(message)
    if driver.startswith("sqlite") and parsed.database in {None, "", ":memory:"}:
        message = "a SQLite database needs a file: sqlite:///path/to/file.sqlite3"
        raise DatabaseUrlRefused(message)
    return parsed.set(drivername=driver)


def create_engine(url: str, *, readonly: bool = False, migrating: bool = False) -> AsyncEngine:
    """Create an engine; it connects when it is used.

    On SQLite, a writing engine has one connection and begins with `BEGIN IMMEDIATE`; a reading one
    has several, each of which rejects writes. A migrating one rebuilds tables, so it disables
    foreign keys and timeouts. Statements raise `Unavailable` if the database fails.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed, readonly=readonly, migrating=migrating)
    else:
        engine = _postgresql(parsed, readonly=readonly, migrating=migrating)
    translate_faults(engine.sync_engine)
    return engine


def _sqlite(url: URL, *, readonly: bool, migrating: bool) -> AsyncEngine:
    if "timeout" not in url.query:
        patience = MIGRATING_SECONDS if migrating else BUSY_SECONDS
        url = url.update_query_dict({"timeout": patience})
    engine = create_async_engine(
        url,
        pool_size=4 if readonly else 1,
        max_overflow=0,
        hide_parameters=True,
        pool_reset_on_return=None,  # a closed connection has rolled back already
        connect_args={"async_creator_fn": sqlite_driver.connect},
    )
    pragmas = _pragmas(readonly=readonly, migrating=migrating)
    begin = "BEGIN" if readonly else "BEGIN IMMEDIATE"

    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
        # sqlite3 would otherwise begin late and implicitly, so that two transactions read the same
        # value before either writes: 20 concurrent increments ended at 1, without an error.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.begin(begin)

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine


def _pragmas(*, readonly: bool, migrating: bool) -> tuple[str, ...]:
    if readonly:
        return ("query_only = ON",)
    return (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"foreign_keys = {'OFF' if migrating else 'ON'}",
    )


def _postgresql(url: URL, *, readonly: bool, migrating: bool) -> AsyncEngine:
    limits = {} if migrating else _LIMITS
    engine = create_async_engine(
        url,
        json_serializer=json_text.dump,
        json_deserializer=json_text.load,
        pool_size=10,
        max_overflow=10,
        pool_timeout=10,
        pool_recycle=1800,
        isolation_level="REPEATABLE READ" if readonly else "READ COMMITTED",
        execution_options={"postgresql_readonly": True} if readonly else {},
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "command_timeout": None if migrating else 30,
            "server_settings": _SESSION | limits,
        },
    )
    event.listen(engine.sync_engine, "checkout", _discard_closed)
    return engine


_SESSION = {
    "application_name": "mymozhem",
    "timezone": "UTC",
    "jit": "off",  # to compile such small statements costs more than it saves
}
_LIMITS = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}


def _discard_closed(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 - the driver's own
    """Replace a connection that the server has closed, without the round trip of a ping.

    A restarted server closes its sockets, and asyncpg has learned that from the event loop. The
    pool then reconnects, unnoticed by the caller.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError
