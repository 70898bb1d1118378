"""A table that only the tests of the database have, apart from the host's."""

import enum
from datetime import datetime

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from mymozhem.db.base import JsonDocument, UtcDateTime, enum_column


class Own(DeclarativeBase):
    pass


class State(enum.StrEnum):
    OPEN = "open"
    SHUT = "shut"


class Counter(Own):
    __tablename__ = "test_counter"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(default=0)
    moment: Mapped[datetime | None] = mapped_column(UtcDateTime)
    document: Mapped[object | None] = mapped_column(JsonDocument)
    state: Mapped[State] = enum_column(State, default=State.OPEN)
