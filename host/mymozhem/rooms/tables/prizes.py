"""Prizes and winners."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract.enums import WinnerStatus
from mymozhem.db.base import Base, JsonDocument, JsonObject, UtcDateTime, enum_column, id_column


class PrizeRow(Base):
    """A prize; `quantity_remaining` is what is neither won nor reserved by a committed draw."""

    __tablename__ = "prizes"

    id: Mapped[str] = id_column("prize")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(2000), default="")
    image_url: Mapped[str | None] = mapped_column(String(2000))
    quantity: Mapped[int]
    quantity_remaining: Mapped[int]
    data: Mapped[JsonObject] = mapped_column("metadata", JsonDocument, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("quantity_remaining >= 0", name="remaining_not_negative"),
        CheckConstraint("quantity_remaining <= quantity", name="remaining_within_quantity"),
        Index("ix_prizes_room_id", "room_id", "id"),  # the prizes of a room, in order
        Index("ix_prizes_deleted_at", "deleted_at"),  # clean-up
    )


class WinnerRow(Base):
    """A win of one unit; sealed until its draw is revealed for that prize."""

    __tablename__ = "winners"

    id: Mapped[str] = id_column("win")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    participant_id: Mapped[str] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"))
    prize_id: Mapped[str] = mapped_column(ForeignKey("prizes.id", ondelete="RESTRICT"))
    draw_id: Mapped[str | None] = mapped_column(ForeignKey("draws.id", ondelete="RESTRICT"))
    ordinal: Mapped[int] = mapped_column(default=0)
    sealed: Mapped[bool] = mapped_column(default=False)
    status: Mapped[WinnerStatus] = enum_column(WinnerStatus, default=WinnerStatus.AWARDED)
    reason: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[JsonObject] = mapped_column("metadata", JsonDocument, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        # nobody wins a prize twice; a revoked win makes room again. A sealed one does not count:
        # an award by hand that failed for its sake would tell what is sealed
        Index(
            "uq_winners_prize_id_participant_id",
            "prize_id",
            "participant_id",
            unique=True,
            sqlite_where=text("status <> 'revoked' AND NOT sealed"),
            postgresql_where=text("status <> 'revoked' AND NOT sealed"),
        ),
        Index("ix_winners_room_id", "room_id", "id"),  # the winners of a room, in order
        Index("ix_winners_room_id_prize_id", "room_id", "prize_id"),  # the winners of a prize
        Index("ix_winners_participant_id", "participant_id"),  # what somebody won
        Index("ix_winners_draw_id", "draw_id", "ordinal"),  # the result of a draw, in order
        Index("ix_winners_created_at", "created_at"),  # the latest winners
        Index("ix_winners_deleted_at", "deleted_at"),  # clean-up
    )
