"""Points of participants."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import Base, UtcDateTime, id_column


class ScoreRow(Base):
    """Points given or taken; the standings are their sums.

    Points of a window name it. Points that are `sealed` count only after the window's results are
    revealed.
    """

    __tablename__ = "scores"

    id: Mapped[str] = id_column("score")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    participant_id: Mapped[str] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"))
    window_id: Mapped[str | None] = mapped_column(ForeignKey("windows.id", ondelete="CASCADE"))
    points: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    sealed: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_scores_room_id", "room_id", "participant_id"),  # sums per person
        Index("ix_scores_window_id", "window_id"),  # what a window holds back
    )
