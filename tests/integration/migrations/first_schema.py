"""The rows of a database as the first release wrote them, and what they are loaded with."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Integer, LargeBinary, MetaData, String, Table, insert

from mymozhem.db.base import JsonDocument, UtcDateTime
from mymozhem.db.engine import create_engine

DUMP = Path(__file__).resolve().parents[2] / "releases" / "first-schema.json"

_KINDS = {"moment": UtcDateTime, "json": JsonDocument, "bytes": LargeBinary}


def dump() -> dict[str, Any]:
    """Return the dump: `tables` with their rows, `kinds` of columns, `keys`, ids of `rooms`."""
    return json.loads(DUMP.read_text(encoding="utf-8"))


async def load(url: str, dumped: dict[str, Any]) -> None:
    """Write all rows into a database that stands at the revision of the dump.

    Nothing of today's models is used: their tables may be others by now.
    """
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            for name, rows in dumped["tables"].items():
                table = _table(name, rows, dumped["kinds"])
                await connection.execute(insert(table), [_values(table, row) for row in rows])
    finally:
        await engine.dispose()


def _table(name: str, rows: list[dict[str, Any]], kinds: dict[str, str]) -> Table:
    """Describe the columns that hold something; the others are NULL by themselves."""
    found = {column: _first(rows, column) for column in rows[0]}
    return Table(
        name,
        MetaData(),
        *(
            Column(column, _KINDS.get(kinds.get(f"{name}.{column}"), _plain(value))())
            for column, value in found.items()
            if value is not None
        ),
    )


def _first(rows: list[dict[str, Any]], column: str) -> Any:
    return next((row[column] for row in rows if row[column] is not None), None)


def _plain(value: Any) -> type[Boolean | Integer | String]:
    return {bool: Boolean, int: Integer}.get(type(value), String)


def _values(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {column.name: _value(column.type, row[column.name]) for column in table.c}


def _value(kind: object, value: Any) -> Any:
    if value is None or isinstance(kind, JsonDocument):
        return value
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return bytes.fromhex(value) if isinstance(kind, LargeBinary) else value
