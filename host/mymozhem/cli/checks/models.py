"""Checks every table, column, key, index and constraint of the models against `tables.json`.

The expectation is written by hand: a change of a model changes both files, so that it is reviewed
twice. `python -m mymozhem.cli.checks.models` prints the models in the same form.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Literal, TypedDict

from sqlalchemy import (
    CheckConstraint,
    Column,
    Constraint,
    Dialect,
    Enum,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql.asyncpg import dialect as _make_postgresql
from sqlalchemy.schema import CreateColumn

from mymozhem.db.all_tables import import_tables

from . import Check, holds, same

Part = Literal["columns", "unique", "checks", "indexes", "relations"]

EXPECTATION = "tables.json"
_POSTGRESQL: Dialect = _make_postgresql()  # type: ignore[no-untyped-call] # SQLAlchemy does not annotate it
_PARTS: tuple[Part, ...] = ("columns", "unique", "checks", "indexes", "relations")


class Described(TypedDict):
    """A table: SQL texts by names; `enums` has the values by column."""

    primaryKey: list[str]
    columns: dict[str, str]
    enums: dict[str, list[str]]
    unique: dict[str, str]
    checks: dict[str, str]
    indexes: dict[str, str]
    relations: dict[str, str]


def check_models() -> Iterator[Check]:
    """Compare every part of every table; then check the rules for all tables."""
    metadata = import_tables()
    yield from compare(describe(metadata), expectation())
    for each in metadata.sorted_tables:
        yield from _rules(each)


def expectation() -> dict[str, Described]:
    """Return the expected tables."""
    text = files(__package__).joinpath(EXPECTATION).read_text(encoding="utf-8")
    written: dict[str, Described] = json.loads(text)
    return written


def compare(found: Mapping[str, Described], expected: Mapping[str, Described]) -> Iterator[Check]:
    """Compare every part of every table with its expectation."""
    yield same("tables", sorted(found), sorted(expected))
    for name in sorted(found.keys() & expected):
        yield from _table(name, found[name], expected[name])


def describe(metadata: MetaData) -> dict[str, Described]:
    """Return the tables of the models, in the form of the expectation."""
    return {table.name: _describe(table) for table in metadata.sorted_tables}


def _table(name: str, found: Described, expected: Described) -> Iterator[Check]:
    yield same(f"{name}: primary key", found["primaryKey"], expected["primaryKey"])
    for column, values in expected["enums"].items():
        yield same(f"{name}.{column}: values", found["enums"].get(column), values)
    yield same(f"{name}: enums", sorted(found["enums"]), sorted(expected["enums"]))
    for part in _PARTS:
        mine: Mapping[str, str] = found[part]
        written: Mapping[str, str] = expected[part]
        yield same(f"{name}: {part}", sorted(mine), sorted(written))
        for key, text in written.items():
            yield same(f"{name}: {part}: {key}", mine.get(key), text)


def _rules(table: Table) -> Iterator[Check]:
    """Check the rules that hold for every table."""
    for column in table.columns.values():
        text = str(column.type.compile(dialect=_POSTGRESQL))
        moment = column.name.endswith(("_at", "_until")) or column.name == "deadline"
        if moment:
            utc = "TIMESTAMP WITH TIME ZONE"
            yield same(f"{table.name}.{column.name}: a moment in UTC", text, utc)
    for key in table.foreign_key_constraints:
        yield holds(
            f"{table.name}: {_columns(key)} says what a delete does",
            key.ondelete in {"CASCADE", "RESTRICT", "SET NULL"},
            "a relation has no ON DELETE",
        )


def _describe(table: Table) -> Described:
    columns = table.columns.values()
    checks = [each for each in table.constraints if isinstance(each, CheckConstraint)]
    unique = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    return {
        "primaryKey": [column.name for column in table.primary_key.columns],
        "columns": {column.name: _column(column) for column in columns},
        "enums": {
            column.name: list(column.type.enums)
            for column in columns
            if isinstance(column.type, Enum)
        },
        "unique": {_name(each): _columns(each) for each in unique},
        "checks": {_name(each): str(each.sqltext) for each in checks if _own(each)},
        "indexes": {str(index.name): _index(index) for index in _sorted(table)},
        "relations": {_columns(key): _relation(key) for key in _keys(table)},
    }


def _column(column: Column[object]) -> str:
    """Return type, nullability and default as PostgreSQL writes them."""
    text = str(CreateColumn(column).compile(dialect=_POSTGRESQL))
    words = text.partition(" ")[2]
    return words if "NOT NULL" in words else f"{words} NULL"


def _index(index: Index) -> str:
    text = ", ".join(column.name for column in index.columns)
    where = index.dialect_options["postgresql"]["where"]
    unique = "unique " if index.unique else ""
    return f"{unique}({text})" + (f" where {where}" if where is not None else "")


def _relation(key: ForeignKeyConstraint) -> str:
    (element,) = key.elements
    return f"{element.target_fullname} on delete {str(key.ondelete).lower()}"


def _columns(constraint: UniqueConstraint | ForeignKeyConstraint) -> str:
    return ", ".join(column.name for column in constraint.columns)


def _name(constraint: Constraint) -> str:
    return str(_POSTGRESQL.identifier_preparer.format_constraint(constraint)).strip('"')


def _own(check: CheckConstraint) -> bool:
    """Return whether a check was written by hand; those of enums are described by their values."""
    return not getattr(check, "_type_bound", False)


def _sorted(table: Table) -> list[Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


def _keys(table: Table) -> list[ForeignKeyConstraint]:
    return sorted(table.foreign_key_constraints, key=_columns)


if __name__ == "__main__":
    print(json.dumps(describe(import_tables()), indent=1))  # noqa: T201  this is what it is for
