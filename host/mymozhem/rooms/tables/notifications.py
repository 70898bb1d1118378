"""Notifications to people."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import ID_LENGTH, Base, JsonDocument, UtcDateTime, id_column


class NotificationType(StrEnum):
    """What a notification is about."""

    WINNER_SELECTED = "winner_selected"  #: the person won a prize
    APP_FALLBACK = "app_fallback"  #: the app did not answer, and something else decided
    MANUAL_APPROVAL_REQUIRED = "manual_approval_required"  #: somebody waits to be admitted
    MESSAGE = "message"  #: a message of the room's app, or of the operator


class NotificationRow(Base):
    """A message to one person; `type` is NULL for a message of an app."""

    __tablename__ = "notifications"

    id: Mapped[str] = id_column("note")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    type: Mapped[str | None] = mapped_column(String(40))
    winner_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    prize_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))

    __table_args__ = (
        Index("ix_notifications_user_id", "user_id", "created_at"),  # somebody's notifications
    )


class UnsentNoticesRow(Base):
    """A part of a message to many organizers; its notifications and its deletion are one write.

    `people` has the id of a room and of a person in it for each notification.
    """

    __tablename__ = "unsent_notices"

    id: Mapped[str] = id_column("notices")
    title: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)
    people: Mapped[list[list[Any]]] = mapped_column(JsonDocument)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_unsent_notices_due_at", "due_at"),)  # the job: what is left
