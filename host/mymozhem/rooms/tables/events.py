"""The room log and its streams."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import ID_LENGTH, Base, JsonDocument, JsonObject, UtcDateTime


class RoomEventRow(Base):
    """One entry of a room's log; append-only."""

    __tablename__ = "room_events"

    room_id: Mapped[str] = mapped_column(
        ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    stream: Mapped[str] = mapped_column(String(64))
    stream_no: Mapped[int]
    type: Mapped[str] = mapped_column(String(160))
    payload: Mapped[JsonObject] = mapped_column(JsonDocument)
    actor_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    schema_version: Mapped[int] = mapped_column(default=1)
    after_end: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    # what a client that sees some streams has not seen yet
    __table_args__ = (UniqueConstraint("room_id", "stream", "stream_no"),)


class RoomStreamRow(Base):
    """The last number of each stream of a room's log."""

    __tablename__ = "room_streams"

    room_id: Mapped[str] = mapped_column(
        ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True
    )
    stream: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_no: Mapped[int]
