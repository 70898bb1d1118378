"""Delete many rows in short transactions, so that other writers get their turn in between."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, inspect, select, tuple_
from sqlalchemy.orm import DeclarativeBase

from .unit_of_work import Database

#: rows in one transaction
AT_ONCE = 200


async def delete_in_parts(
    database: Database,
    table: type[DeclarativeBase],
    which: Callable[[datetime], ColumnElement[bool]],
    *,
    at_once: int = AT_ONCE,
) -> int:
    """Delete the rows of a table that meet a condition at the database's time; return how many.

    A crash half-way leaves the rest for the next call. Idempotent.
    """
    key = inspect(table).primary_key
    found = key[0] if len(key) == 1 else tuple_(*key)
    deleted = 0
    while True:
        async with database.write() as unit:
            some = select(*key).where(which(unit.now)).limit(at_once)
            result = await unit.session.execute(
                delete(table).where(found.in_(some)).execution_options(synchronize_session=False)
            )
            count = cast("CursorResult[Any]", result).rowcount
        deleted += count
        if count < at_once:
            return deleted
