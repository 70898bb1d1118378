"""Windows and their submissions."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract.enums import (
    CloseOn,
    CloseReason,
    DecidedBy,
    Judge,
    Results,
    SubmissionMode,
    Verdict,
    WindowStatus,
)
from mymozhem.db.base import (
    ID_LENGTH,
    Base,
    JsonDocument,
    UtcDateTime,
    enum_column,
    id_column,
)

JsonObject = dict[str, Any]


class WindowRow(Base):
    """A window; a durable job closes, settles and reveals it when it is due.

    `opens_at` and `closes_at` move with every pause and with the host's downtime, so that the span
    between them is the time that people had. `pauses` are the latest of these moves, each with its
    start, its end and its kind. `rules` are stored folded, by
    `fold_locale`, the language that the room had at the opening. Results are shown once
    `revealed_at` is set. The host is known to have been running until `checked_at`.
    """

    __tablename__ = "windows"

    id: Mapped[str] = id_column("window")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    status: Mapped[WindowStatus] = enum_column(WindowStatus, default=WindowStatus.OPEN)
    prompt: Mapped[JsonObject] = mapped_column(JsonDocument)
    accepts: Mapped[JsonObject] = mapped_column(JsonDocument)
    data: Mapped[JsonObject] = mapped_column(JsonDocument)
    roles: Mapped[list[str]] = mapped_column(JsonDocument)
    participants: Mapped[list[str] | None] = mapped_column(JsonDocument)
    submissions: Mapped[SubmissionMode] = enum_column(SubmissionMode)
    min_elapsed_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    close_on: Mapped[CloseOn] = enum_column(CloseOn)
    judge: Mapped[Judge] = enum_column(Judge)
    rules: Mapped[JsonObject | None] = mapped_column(JsonDocument)
    fold: Mapped[list[str]] = mapped_column(JsonDocument, default=list)
    fold_locale: Mapped[str] = mapped_column(String(16), default="")
    points: Mapped[int] = mapped_column(default=0)
    announce_verdicts: Mapped[bool] = mapped_column(default=True)
    announce_standings: Mapped[bool] = mapped_column(default=True)
    results: Mapped[Results] = enum_column(Results)
    shared: Mapped[list[Any]] = mapped_column(JsonDocument, default=list)
    answered: Mapped[int] = mapped_column(default=0)
    last_ordinal: Mapped[int] = mapped_column(default=0)
    depth: Mapped[int] = mapped_column(default=0)
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pauses: Mapped[list[Any]] = mapped_column(JsonDocument, default=list)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    close_reason: Mapped[CloseReason | None] = enum_column(CloseReason, nullable=True)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[DecidedBy | None] = enum_column(DecidedBy, nullable=True)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("room_id", "key"),  # a key is one window, for ever
        CheckConstraint("answered >= 0", name="answered"),
        Index("ix_windows_due_at", "due_at"),  # the job: which window is next
        Index("ix_windows_room_id_created_at", "room_id", "created_at"),  # the windows of a room
        Index("ix_windows_status", "status"),  # what is open, at start and with every heartbeat
    )


class SubmissionRow(Base):
    """A submission; `ordinal` is its place in the window's commit order, from 1.

    A submission that a later one has replaced no longer `counts`. `credited` are the points that
    are already in the scores.
    """

    __tablename__ = "submissions"

    id: Mapped[str] = id_column("sub")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    window_id: Mapped[str] = mapped_column(ForeignKey("windows.id", ondelete="CASCADE"))
    participant_id: Mapped[str] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    payload: Mapped[Any | None] = mapped_column(JsonDocument)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    elapsed_ms: Mapped[int] = mapped_column(BigInteger)  # windows may be open for months
    counts: Mapped[bool] = mapped_column(default=True)
    single: Mapped[bool] = mapped_column(default=False)
    key: Mapped[str | None] = mapped_column(String(128))
    verdict: Mapped[Verdict] = enum_column(Verdict, default=Verdict.PENDING)
    points: Mapped[int] = mapped_column(default=0)
    judged: Mapped[bool] = mapped_column(default=False)
    credited: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("window_id", "ordinal"),  # commit order; the submissions of a window
        # where only one counts, the database holds people to it
        Index(
            "uq_submissions_single",
            "window_id",
            "participant_id",
            unique=True,
            sqlite_where=text("single AND counts"),
            postgresql_where=text("single AND counts"),
        ),
        # a repeated request finds its first answer
        Index(
            "uq_submissions_key",
            "window_id",
            "participant_id",
            "key",
            unique=True,
            sqlite_where=text("key IS NOT NULL"),
            postgresql_where=text("key IS NOT NULL"),
        ),
        Index("ix_submissions_window_id_participant_id", "window_id", "participant_id"),  # turns
        Index("ix_submissions_participant_id", "participant_id", "created_at"),  # somebody's own
        Index("ix_submissions_room_id", "room_id"),  # what an app needs of earlier windows
    )


class HeartbeatRow(Base):
    """The last time at which a host process is known to have been running."""

    __tablename__ = "heartbeats"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
