"""The building blocks of every table: the base class, the column types and the ids."""

import enum
import re
from datetime import UTC, datetime
from typing import Any

import uuid_utils
from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, String, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

from mymozhem.clock import milliseconds

from . import json_text

JsonObject = dict[str, Any]

ID_LENGTH = 48

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The parent of every table; constraints get the same names on every engine."""

    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC, truncated to milliseconds; both parameters and results have a time zone.

    SQLite stores it as text that sorts by time and that its date functions and people can read;
    PostgreSQL as `timestamptz`. Raises `ValueError` for a time without a time zone.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the engine's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(_sqlite_datetime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Truncate to milliseconds in UTC; SQLite's type takes times without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value!r} has no time zone; give an aware moment"
            raise ValueError(message)
        moment = milliseconds(value)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """Return the time in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _sqlite_datetime() -> sqlite.DATETIME:
    return sqlite.DATETIME(  # type: ignore[no-untyped-call] # SQLAlchemy left it untyped
        storage_format="%(year)04d-%(month)02d-%(day)02d "
        "%(hour)02d:%(minute)02d:%(second)02d.%(microsecond)06d"
    )


class JsonDocument(TypeDecorator[Any]):
    """A JSON document that is read exactly as it was written; `None` is SQL's NULL.

    PostgreSQL's `json`, not `jsonb`: `jsonb` sorts keys, rewrites `1e300` as an integer of 301
    digits and rejects the escape for NUL, so that digests over a document would change.
    On SQLite plain text: a column declared JSON turns a document that is a number into a float.
    """

    impl = JSON
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the engine's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSON(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        """Encode the document; PostgreSQL's driver does so with the same function."""
        if value is None or dialect.name == "postgresql":
            return value
        return json_text.dump(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> object:  # noqa: ANN401 - the driver's own
        """Decode the document; PostgreSQL's driver has already done so."""
        if value is None or dialect.name == "postgresql":
            return value
        return json_text.load(value)


def new_id(prefix: str) -> str:
    """Return a new id like `room_0190…`: sortable by creation time, and not guessable."""
    return f"{prefix}_{uuid_utils.uuid7().hex}"


def id_column(prefix: str) -> MappedColumn[str]:
    """Return a primary key column whose default is `new_id(prefix)`."""
    return mapped_column(String(ID_LENGTH), primary_key=True, default=lambda: new_id(prefix))


def enum_type(states: type[enum.Enum]) -> Enum:
    """Return a type that stores the values of an enum as text, checked by the database.

    Text with a CHECK, not PostgreSQL's own enums: those cannot lose or rename a member later.
    """
    return Enum(
        states,
        name=_snake(states.__name__),
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=32,
        values_callable=lambda members: [str(member.value) for member in members],
    )


def enum_column(states: type[enum.Enum], **options: Any) -> MappedColumn[Any]:  # noqa: ANN401 - mapped_column's own
    """Return a column of `enum_type`; options go to `mapped_column` (default, index, nullable…)."""
    return mapped_column(enum_type(states), **options)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
