"""Timers of apps, and changes that an app is notified of."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import (
    ID_LENGTH,
    Base,
    JsonDocument,
    JsonObject,
    UtcDateTime,
    enum_column,
    id_column,
)


class TimerSpace(StrEnum):
    """The owner of a timer."""

    APP = "app"  #: the app asked for it
    CHANGE = "change"  #: a change of the room that the app receives


class TimerRow(Base):
    """A durable timer; its effects and its deletion are one transaction, by (id, generation).

    A `relative` one was set for a span from then on, and not for a time of day.
    """

    __tablename__ = "timers"

    id: Mapped[str] = id_column("timer")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    space: Mapped[TimerSpace] = enum_column(TimerSpace)
    key: Mapped[str] = mapped_column(String(96))
    generation: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    relative: Mapped[bool] = mapped_column(default=False, server_default=false())
    payload: Mapped[JsonObject] = mapped_column(JsonDocument)
    depth: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(1000))

    __table_args__ = (
        UniqueConstraint("room_id", "space", "key"),  # a timer of the same key is replaced
        Index("ix_timers_next_at", "next_at"),  # which timer is due
    )
