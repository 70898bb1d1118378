"""The people of a room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract.enums import ParticipantStatus, Role
from mymozhem.db.base import (
    ID_LENGTH,
    Base,
    JsonDocument,
    JsonObject,
    UtcDateTime,
    enum_column,
    id_column,
)


class ParticipantRow(Base):
    """A person in a room; one permanent row per person and room.

    `data` is what organizers and the app store, `self_metadata` what the person wrote when they
    joined: it is shown, but decides nothing. `guest_session_id` is the session of a guest's
    token, on one phone.
    """

    __tablename__ = "participants"

    id: Mapped[str] = id_column("part")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    display_name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = enum_column(Role)
    status: Mapped[ParticipantStatus] = enum_column(ParticipantStatus)
    reason: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[JsonObject] = mapped_column("metadata", JsonDocument, default=dict)
    self_metadata: Mapped[JsonObject | None] = mapped_column(JsonDocument)
    own: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    private: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    points: Mapped[int] = mapped_column(default=0)
    guest_session_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    return_code_hash: Mapped[str | None] = mapped_column(String(64))
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def shown_metadata(self) -> JsonObject:
        """What the person wrote, and over it what organizers and the app store."""
        return {**(self.self_metadata or {}), **self.data}

    __table_args__ = (
        UniqueConstraint("room_id", "user_id"),  # one row for ever; membership look-up
        Index("ix_participants_user_id", "user_id"),  # rooms that somebody is in
        Index("ix_participants_room_id_role", "room_id", "role"),  # organizers of a room
        # the list of people, and the candidates of a draw
        Index("ix_participants_room_id_status", "room_id", "status", "role", "id"),
        Index("ix_participants_room_id_display_name", "room_id", "display_name"),  # same names
        # a guest by their return code
        Index("ix_participants_return_code", "room_id", "return_code_hash", unique=True),
        Index("ix_participants_role", "role"),  # organizers over all rooms
        Index("ix_participants_deleted_at", "deleted_at"),  # clean-up
    )
