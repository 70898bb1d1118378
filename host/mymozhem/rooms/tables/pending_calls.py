"""Calls that wait for their app."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import ID_LENGTH, Base, UtcDateTime


class QueuedCallRow(Base):
    """A call that its app has not answered, as it was made under its call id.

    `id` is that of the timer, window or draw that waits for the result; the row is deleted with it.
    `context` and `request` hold what the app receives as JSON text, without what the host can read
    again and must not store in plain text. `revision` is what the call was computed from. `answer`
    is a late result as JSON text, as the app gave it; the next attempt uses it.
    """

    __tablename__ = "queued_calls"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    app_id: Mapped[str] = mapped_column(String(64))
    app_version: Mapped[str] = mapped_column(String(128))
    hook: Mapped[str] = mapped_column(String(64))
    call_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    context: Mapped[str] = mapped_column(Text)
    request: Mapped[str] = mapped_column(Text)
    revision: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=1)
    answer: Mapped[str | None] = mapped_column(Text)
    refused: Mapped[bool] = mapped_column(default=False, server_default=false())
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("call_id"),  # a late answer finds its call
        Index("ix_queued_calls_room_id", "room_id"),  # what a room forgets
    )
