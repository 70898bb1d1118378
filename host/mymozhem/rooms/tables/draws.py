"""Draws, from the request to the reveal."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract.enums import DrawStatus
from mymozhem.db.base import (
    ID_LENGTH,
    Base,
    JsonDocument,
    JsonObject,
    UtcDateTime,
    enum_column,
    id_column,
)


class RevealMode(StrEnum):
    """When a drawn result becomes public."""

    NOW = "now"  #: together with the draw
    MANUAL = "manual"  #: when an organizer says so, prize by prize or all at once


class DrawRow(Base):
    """A draw; a durable job advances it until it is revealed or voided."""

    __tablename__ = "draws"

    id: Mapped[str] = id_column("draw")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    status: Mapped[DrawStatus] = enum_column(DrawStatus, default=DrawStatus.REQUESTED)
    request: Mapped[JsonObject] = mapped_column(JsonDocument)
    run: Mapped[bool] = mapped_column(default=False)
    reveal: Mapped[RevealMode] = enum_column(RevealMode, default=RevealMode.NOW)
    replaces: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    link_index: Mapped[int | None]
    rule: Mapped[JsonObject | None] = mapped_column(JsonDocument)
    rule_digest: Mapped[str | None] = mapped_column(String(64))
    rule_text: Mapped[str] = mapped_column(Text, default="")
    entries: Mapped[JsonObject | None] = mapped_column(JsonDocument, deferred=True)
    entries_digest: Mapped[str | None] = mapped_column(String(64))
    entry_count: Mapped[int] = mapped_column(default=0)
    ticket_count: Mapped[int] = mapped_column(default=0)
    public_inputs: Mapped[list[Any] | None] = mapped_column(JsonDocument)
    picks: Mapped[list[Any] | None] = mapped_column(JsonDocument, deferred=True)
    reserves: Mapped[list[Any] | None] = mapped_column(JsonDocument, deferred=True)
    decided_by: Mapped[str | None] = mapped_column(String(16))
    revealed_prizes: Mapped[list[str]] = mapped_column(JsonDocument, default=list)
    link: Mapped[str | None] = mapped_column(String(64))  # only once it is public
    void_reason: Mapped[str | None] = mapped_column(String(200))
    held_code: Mapped[str | None] = mapped_column(String(64))
    held_message: Mapped[str | None] = mapped_column(String(1000))
    platform_consent: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    committed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    drawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("room_id", "link_index"),  # a link serves one draw
        UniqueConstraint("room_id", "key"),  # a key names one draw
        Index("ix_draws_due_at", "due_at"),  # the job: which draw is next
        Index("ix_draws_room_id_created_at", "room_id", "created_at"),  # the draws of a room
    )


class DrawRecordRow(Base):
    """The published record of a finished draw; it outlives the draw and its room.

    So it refers to no other table. `digest` is the record's own `recordDigest`, `size` the number
    of bytes in its parts.
    """

    __tablename__ = "draw_records"

    draw_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    room_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    status: Mapped[DrawStatus] = enum_column(DrawStatus)
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DrawRecordPartRow(Base):
    """One part of a record's bytes; parts are small, so that a reader needs little memory."""

    __tablename__ = "draw_record_parts"

    draw_id: Mapped[str] = mapped_column(
        ForeignKey("draw_records.draw_id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
