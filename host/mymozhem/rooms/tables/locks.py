"""Which manifest version a room is locked to, what serves it, and drift."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import ID_LENGTH, Base, JsonDocument, JsonObject, UtcDateTime, id_column


class RoomLockRow(Base):
    """What a room is locked to; append-only.

    `before` holds the settings and state under the previous lock, so that a rollback can restore
    them; None for the first lock.
    """

    __tablename__ = "room_locks"

    id: Mapped[str] = id_column("lock")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    lock: Mapped[JsonObject] = mapped_column(JsonDocument)
    digest: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    before: Mapped[JsonObject | None] = mapped_column(JsonDocument)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_room_locks_room_id", "room_id", "created_at"),)  # history of a room


class RoomServedByRow(Base):
    """What serves a room from when on, if that differs from its lock, or no longer differs.

    Append-only. `target` is as in a lock, or None while nothing serves the room (it is orphaned).
    The digest of the newest row is also in `rooms.served_target`, unless it equals the lock's own.
    """

    __tablename__ = "room_served_by"

    id: Mapped[str] = id_column("served")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    lock_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    target: Mapped[JsonObject | None] = mapped_column(JsonDocument)
    digest: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_room_served_by_room_id", "room_id", "since"),)  # of one room


class LockDriftRow(Base):
    """A remote app replied for another lock than the room's; a row for each lock it named."""

    __tablename__ = "lock_drifts"

    id: Mapped[str] = id_column("drift")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    app_id: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(64))
    named: Mapped[str] = mapped_column(String(128))
    expected: Mapped[str] = mapped_column(String(64))
    times: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("room_id", "named"),  # one row for each, counted
        Index("ix_lock_drifts_last_at", "last_at"),  # what operators are shown
    )
