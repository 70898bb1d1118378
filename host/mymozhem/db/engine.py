"""Engines for SQLite and PostgreSQL with strict transactions."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from . import json_text, sqlite_driver
from .error_translation import translate_faults
from .postgresql_url import DatabaseUrlRefused, PostgresqlUrl, parse_postgresql_url

__all__ = ["DatabaseUrlRefused", "create_engine", "parse_url"]

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
}

BUSY_SECONDS = "5"
"""How long a SQLite statement waits for another's lock; `?timeout=` in the address overrides it."""

MIGRATING_SECONDS = "60"
"""How many seconds a migration waits for another one."""


def parse_url(url: str) -> URL:
    """Parse a database's address and set its driver.

    Raises `DatabaseUrlRefused` for an engine other than SQLite and PostgreSQL, and for SQLite
    without a file: two connections to memory would be two databases.
    """
    if url.partition("://")[0].partition("+")[0] in {"postgres", "postgresql"}:
        found = parse_postgresql_url(url)
        return URL.create(_DRIVERS["postgresql"], host=found.host, database=found.database)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        message = "The address of the database cannot be read; write sqlite:///path or postgresql://server/name"
        raise DatabaseUrlRefused(message) from None  # the original message may show the password
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
        engine = _postgresql(url, parsed, readonly=readonly, migrating=migrating)
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


def _postgresql(url: str, shown: URL, *, readonly: bool, migrating: bool) -> AsyncEngine:
    """Create an engine that connects by asyncpg's own reading of the address."""
    address = parse_postgresql_url(url)
    limits = {} if migrating else _LIMITS
    engine = create_async_engine(
        shown,
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
            "async_creator_fn": _connecting(address, limits, patient=migrating),
            **(_UNNAMED if address.pooled else {}),
        },
    )
    if address.pooled:
        _set_in_transactions(engine, {**_SESSION, **limits, **address.server_settings})
    event.listen(engine.sync_engine, "checkout", _discard_closed)
    return engine


def _connecting(
    address: PostgresqlUrl, limits: dict[str, str], *, patient: bool
) -> Callable[..., Awaitable[Any]]:
    """Return the function that makes a connection; it ignores what SQLAlchemy has parsed."""
    options: dict[str, Any] = {
        "timeout": address.connect_timeout,
        "command_timeout": None if patient else 30,
    }
    if address.pooled:
        options["statement_cache_size"] = 0
    else:
        options["server_settings"] = {**_SESSION, **limits, **address.server_settings}

    async def connect(*_: object, **__: object) -> Any:  # noqa: ANN401  asyncpg ships no types
        import asyncpg  # type: ignore[import-untyped]  # noqa: PLC0415  not needed for SQLite

        try:
            return await asyncpg.connect(address.dsn, **options)
        except (asyncpg.ClientConfigurationError, FileNotFoundError) as error:
            raise DatabaseUrlRefused(f"the address of the database: {error}") from error
        except asyncpg.PostgresError as error:
            if "unsupported startup parameter" in str(error):
                raise DatabaseUrlRefused(_IS_POOLED) from error
            raise

    return connect


def _set_in_transactions(engine: AsyncEngine, settings: dict[str, str]) -> None:
    """Set the session's settings in each transaction: a pooler gives it any session."""
    names = {name: value for name, value in settings.items() if name != "options"}
    calls = ", ".join(
        f"set_config('{name}', '{_quoted(value)}', true)" for name, value in names.items()
    )

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {calls}")

    event.listen(engine.sync_engine, "begin", begun)


def _quoted(value: str) -> str:
    return value.replace("'", "''")


#: Statements without a name, because the next transaction may be on another server connection.
_UNNAMED: dict[str, Any] = {
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}
_IS_POOLED = (
    "the address leads to PgBouncer, which refuses the settings of a session: add pgbouncer=true"
    " to its parameters"
)
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
