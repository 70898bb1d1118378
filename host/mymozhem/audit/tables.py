"""The audit log of privileged actions."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import ID_LENGTH, Base, JsonDocument, JsonObject, UtcDateTime, id_column


class AuditRow(Base):
    """A privileged action and its actor; appended, never changed."""

    __tablename__ = "audit_entries"

    id: Mapped[str] = id_column("audit")
    actor_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    action: Mapped[str] = mapped_column(String(64))
    room_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    subject: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    details: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_audit_entries_created_at", "created_at"),  # the audit trail, newest first
        Index("ix_audit_entries_room_id", "room_id", "created_at"),  # of one room
    )
