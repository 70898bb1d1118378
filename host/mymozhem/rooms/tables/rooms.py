"""Rooms and their state; only this package writes them, each under its room's lock."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract.enums import (
    RoomStatus,
)
from mymozhem.db.base import (
    ID_LENGTH,
    Base,
    JsonDocument,
    JsonObject,
    UtcDateTime,
    enum_column,
    id_column,
)


class EntryPolicy(StrEnum):
    """Who may join."""

    GUESTS = "guests"  #: anybody with the code
    REGISTERED = "registered"  #: people with an account


class RoomRow(Base):
    """An event: one app, its settings, its people; every writer locks this row first.

    `results_pending` is the number of parts of results that are decided and not written yet.
    `short_code` exists while the room is active and its doors are unlocked.
    """

    __tablename__ = "rooms"

    id: Mapped[str] = id_column("room")
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(2000), default="")
    code: Mapped[str] = mapped_column(String(16))
    short_code: Mapped[str | None] = mapped_column(String(6))
    locale: Mapped[str] = mapped_column(String(16), default="en")
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.app_id", ondelete="RESTRICT"))
    app_settings: Mapped[JsonObject] = mapped_column(JsonDocument)
    settings_version: Mapped[int] = mapped_column(default=1)
    app_manifest_version: Mapped[str] = mapped_column(String(64))
    lock_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    served_target: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[RoomStatus] = enum_column(RoomStatus, default=RoomStatus.DRAFT)
    is_public: Mapped[bool] = mapped_column(default=False)
    entry_policy: Mapped[EntryPolicy] = enum_column(EntryPolicy, default=EntryPolicy.GUESTS)
    doors_locked: Mapped[bool] = mapped_column(default=False)
    capacity: Mapped[int | None]
    continues: Mapped[str | None] = mapped_column(ForeignKey("rooms.id", ondelete="SET NULL"))
    active_count: Mapped[int] = mapped_column(default=0)
    draw_secret: Mapped[bytes] = mapped_column(LargeBinary)
    draw_anchor: Mapped[str] = mapped_column(String(64))
    next_link: Mapped[int] = mapped_column(default=1)
    standings_hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    results_pending: Mapped[int] = mapped_column(default=0, server_default="0")
    last_seq: Mapped[int] = mapped_column(default=0)
    epoch: Mapped[str] = mapped_column(String(ID_LENGTH))
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("capacity IS NULL OR active_count <= capacity", name="capacity"),
        CheckConstraint("active_count >= 0", name="active_count"),
        UniqueConstraint("code"),  # joining by code
        Index("ix_rooms_short_code", "short_code", unique=True),  # joining by six digits
        Index("ix_rooms_app_id_version", "app_id", "app_manifest_version"),  # rooms on a version
        Index("ix_rooms_status", "status"),  # active rooms at start
        Index("ix_rooms_is_public", "is_public", "created_at", "id"),  # the public listing
        Index("ix_rooms_created_by", "created_by", "created_at"),  # an organizer's own rooms
        Index("ix_rooms_created_at", "created_at", "id"),  # the listing, newest first
        Index("ix_rooms_deleted_at", "deleted_at"),  # clean-up
        Index("ix_rooms_continues", "continues"),  # the rooms that continue a room
        Index("ix_rooms_app_manifest_version", "app_manifest_version"),  # who is on an old version
        # the public listing, filtered
        Index("ix_rooms_public_listing", "status", "is_public", "app_id", "created_at"),
    )


class RoomStateRow(Base):
    """The app's state in a room, in three parts; written by compare-and-set on `version`."""

    __tablename__ = "room_states"

    room_id: Mapped[str] = mapped_column(
        ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True
    )
    public: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    organizer: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    private: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    version: Mapped[int] = mapped_column(default=1)
