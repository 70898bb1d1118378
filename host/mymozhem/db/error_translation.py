"""Tell errors of a database that is unreachable, busy or full from errors of a statement.

Temporary errors become `Unavailable`, so that callers need not know any engine. Others (a violated
constraint, an invalid statement) pass through as SQLAlchemy's own error.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mymozhem.errors import Unavailable

logger = logging.getLogger(__name__)

# https://www.sqlite.org/rescode.html: perm, busy, locked, nomem, ioerr, full, cantopen, protocol.
_SQLITE_CODES = frozenset({3, 5, 6, 7, 10, 13, 14, 15})

# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, transaction rolled
# back (serialization, deadlock), resources (disk full, too many connections), operator
# intervention (shutdown, timeouts), system (I/O).
_POSTGRES_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_POSTGRES_CODES = frozenset({"55P03", "25P03"})  # lock not available; idle in transaction


def translate_faults(engine: Engine) -> None:
    """Make every statement of an engine raise `Unavailable` if the database fails."""
    event.listen(engine, "handle_error", _unavailable)


@contextmanager
def reaching_the_database() -> Iterator[None]:
    """Turn a failure to connect into `Unavailable`; wrap no other work in it."""
    try:
        yield
    except DBAPIError as error:
        raise _report(error.orig or error) from error
    except (OSError, PoolTimeoutError) as error:
        raise _report(error) from error


def _unavailable(context: ExceptionContext) -> BaseException | None:
    error = context.original_exception
    if context.dialect.name == "postgresql" and _is_broken_off(error):
        context.is_disconnect = True  # so that the pool does not use the connection again
        return _report(error)
    if isinstance(error, Unavailable):
        return None
    if context.is_disconnect and isinstance(context.sqlalchemy_exception, DBAPIError):
        return _report(error)
    return _report(error) if _passes(error) else None


def _is_broken_off(error: BaseException) -> bool:
    """Return whether the server has ended an idle connection that is not closed yet.

    asyncpg takes the server's last message for an unexpected reply to the next statement.
    """
    from asyncpg.exceptions import (  # type: ignore[import-untyped]  # it ships no types
        InternalClientError,
    )

    found: BaseException | None = error
    while found is not None:
        if isinstance(found, InternalClientError):
            return True
        found = found.__cause__
    return False


def _passes(error: BaseException) -> bool:
    """Return whether a later retry may succeed."""
    sqlite_code = getattr(error, "sqlite_errorcode", None)
    if isinstance(sqlite_code, int):
        return sqlite_code & 0xFF in _SQLITE_CODES
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in _POSTGRES_CLASSES or state in _POSTGRES_CODES
    return isinstance(error, OSError)


def _report(error: BaseException) -> Unavailable:
    logger.warning("the database is unavailable: %s: %s", type(error).__name__, error)
    return Unavailable(
        "The database is not available right now; nothing was acknowledged. Try again in a moment.",
        code="DATABASE_UNAVAILABLE",
    )
