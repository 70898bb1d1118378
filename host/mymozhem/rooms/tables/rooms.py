"""The rows of rooms. Written by this package alone, each under its room's lock."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract.enums import (
    DrawStatus,
    ParticipantStatus,
    Role,
    RoomStatus,
    WinnerStatus,
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


class EntryPolicy(StrEnum):
    """Who may come in."""

    GUESTS = "guests"  #: anybody with the code
    REGISTERED = "registered"  #: people with an account


class TimerSpace(StrEnum):
    """Whose timer it is."""

    APP = "app"  #: the app asked for it
    CHANGE = "change"  #: a change of the room that the app is to be told


class RevealMode(StrEnum):
    """When a drawn result becomes public."""

    NOW = "now"  #: together with the draw
    MANUAL = "manual"  #: when an organizer says so, prize by prize or all at once


class RoomRow(Base):
    """An event: one app, its settings, its people; every writer locks this row first."""

    __tablename__ = "rooms"

    id: Mapped[str] = id_column("room")
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(2000), default="")
    code: Mapped[str] = mapped_column(String(16))
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


class RoomLockRow(Base):
    """What a room is pinned to; appended to, never changed.

    `before` holds settings and state as they were under the lock before this one, so that a
    rollback can bring them back; None for the first.
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
    """What answers for a room since when, where that is not what its lock names, or is again.

    Appended to. `target` is as in a lock, None while nothing answers: the room is orphaned then.
    The digest of the newest stands in `rooms.served_target` as well, unless it is the lock's own.
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
    """That a remote app answered for another lock than its room has; one row for each it named."""

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


class ParticipantRow(Base):
    """A person in a room: one row for ever."""

    __tablename__ = "participants"

    id: Mapped[str] = id_column("part")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    display_name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = enum_column(Role)
    status: Mapped[ParticipantStatus] = enum_column(ParticipantStatus)
    reason: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[JsonObject] = mapped_column("metadata", JsonDocument, default=dict)
    own: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    private: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    points: Mapped[int] = mapped_column(default=0)
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("room_id", "user_id"),  # one row for ever; membership look-up
        Index("ix_participants_user_id", "user_id"),  # rooms that somebody is in
        Index("ix_participants_room_id_role", "room_id", "role"),  # organizers of a room
        # the list of people, and the candidates of a draw
        Index("ix_participants_room_id_status", "room_id", "status", "role", "id"),
        Index("ix_participants_room_id_display_name", "room_id", "display_name"),  # same names
        Index("ix_participants_role", "role"),  # organizers over all rooms
        Index("ix_participants_deleted_at", "deleted_at"),  # clean-up
    )


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


class ScoreRow(Base):
    """Points given or taken; the sums are the standings.

    Those of a window name it. What is `sealed` counts only once the window's results are revealed.
    """

    __tablename__ = "scores"

    id: Mapped[str] = id_column("score")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    participant_id: Mapped[str] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"))
    window_id: Mapped[str | None] = mapped_column(ForeignKey("windows.id", ondelete="CASCADE"))
    points: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    sealed: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_scores_room_id", "room_id", "participant_id"),  # sums per person
        Index("ix_scores_window_id", "window_id"),  # what a window holds back
    )


class DrawRow(Base):
    """A draw, moved on by a durable job until it is revealed or voided."""

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


class RoomEventRow(Base):
    """One entry of a room's log; appended to, never changed."""

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
    """How far each stream of a room's log has come."""

    __tablename__ = "room_streams"

    room_id: Mapped[str] = mapped_column(
        ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True
    )
    stream: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_no: Mapped[int]


class RoomStateRow(Base):
    """The app's state of a room, in three parts; written by compare-and-set on `version`."""

    __tablename__ = "room_states"

    room_id: Mapped[str] = mapped_column(
        ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True
    )
    public: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    organizer: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    private: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    version: Mapped[int] = mapped_column(default=1)


class TimerRow(Base):
    """A durable timer; its effects and its deletion are one transaction, by (id, generation)."""

    __tablename__ = "timers"

    id: Mapped[str] = id_column("timer")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    space: Mapped[TimerSpace] = enum_column(TimerSpace)
    name: Mapped[str] = mapped_column(String(96))
    generation: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[JsonObject] = mapped_column(JsonDocument)
    depth: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(1000))

    __table_args__ = (
        UniqueConstraint("room_id", "space", "name"),  # a name is replaced
        Index("ix_timers_next_at", "next_at"),  # which timer is due
    )


class NotificationRow(Base):
    """A message to one person."""

    __tablename__ = "notifications"

    id: Mapped[str] = id_column("note")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_notifications_user_id", "user_id", "created_at"),  # somebody's notifications
    )


class AuditRow(Base):
    """Who did what, for operators; appended to, never changed."""

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


class IdempotencyRow(Base):
    """A write that a client may repeat: reserved before the work, completed with its effect."""

    __tablename__ = "idempotency_keys"

    caller: Mapped[str] = mapped_column(String(64), primary_key=True)
    route: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    body_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    response: Mapped[Any | None] = mapped_column(JsonDocument)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_idempotency_keys_expires_at", "expires_at"),)  # clean-up
