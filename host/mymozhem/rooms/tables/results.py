"""Results of windows that are decided and wait to be written."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import (
    ID_LENGTH,
    Base,
    JsonDocument,
    UtcDateTime,
    enum_column,
    id_column,
)


class Judging(StrEnum):
    """Where the verdicts of a part come from."""

    SETTLE = "settle"  #: the named ones, else the app's earlier ones, else those of the rules
    RULES = "rules"  #: those of new rules
    NAMED = "named"  #: the named ones; all others stay
    KEEP = "keep"  #: all stay; only points are written


class ResultPartRow(Base):
    """A part of the results of a window; its results and its deletion are one write.

    It is about the counting submissions from `first_ordinal` to `last_ordinal`. `verdicts` has the
    verdict and the points of submissions by their ids. The process that decided writes the parts in
    the order of their ordinals. If it dies, the job does so once they are due.
    """

    __tablename__ = "result_parts"

    id: Mapped[str] = id_column("result")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    window_id: Mapped[str] = mapped_column(ForeignKey("windows.id", ondelete="CASCADE"))
    first_ordinal: Mapped[int]
    last_ordinal: Mapped[int]
    judging: Mapped[Judging] = enum_column(Judging)
    verdicts: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    actor_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("window_id", "first_ordinal"),  # which part is next
        Index("ix_result_parts_due_at", "due_at"),  # the job: what was left behind
        Index("ix_result_parts_room_id", "room_id"),  # whether results of a room still wait
    )
