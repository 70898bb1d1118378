"""Deliveries, their streams, and every attempt."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract import JsonObject
from mymozhem.db.base import (
    ID_LENGTH,
    Base,
    JsonDocument,
    UtcDateTime,
    enum_column,
    id_column,
)
from mymozhem.registry.tables import APP_ID_LENGTH, VERSION_LENGTH

STREAM_LENGTH = 200
NAME_LENGTH = 64
ERROR_LENGTH = 1_000


class DeliveryState(StrEnum):
    """The state of a delivery."""

    PENDING = "pending"  #: to be sent, now or later
    ACCEPTED = "accepted"  #: the app accepted it and sends the result in a callback
    DELIVERED = "delivered"  #: the app has it
    DEAD = "dead"  #: every attempt failed; kept until somebody retries or deletes it


class AttemptOutcome(StrEnum):
    """The outcome of one attempt."""

    RUNNING = "running"  #: it is in progress, or its process has died
    DELIVERED = "delivered"  #: the app has it
    ACCEPTED = "accepted"  #: the app accepted it; the callback is awaited
    FAILED = "failed"  #: the app did not accept it, or the callback did not arrive
    LOST = "lost"  #: its process died or was silent for too long: whether the app has it is unknown


class StreamRow(Base):
    """Deliveries of one app, capability and room, sent one after the other.

    `next_at` is when the head is due, None if nothing is pending. `parked` means that it waits
    until the app can be called again. `lease` is the id of the attempt in progress. Lock this row
    before you write to the stream.
    """

    __tablename__ = "delivery_streams"

    stream: Mapped[str] = mapped_column(String(STREAM_LENGTH), primary_key=True)
    app_id: Mapped[str] = mapped_column(String(APP_ID_LENGTH))
    last_position: Mapped[int]
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parked: Mapped[bool] = mapped_column(default=False, server_default=false())
    lease: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_delivery_streams_next_at", "next_at"),  # which streams are due
        Index("ix_delivery_streams_app_id", "app_id"),  # streams of an app that is back
    )


class DeliveryContextRow(Base):
    """The context that the deliveries of one transaction share, because it can be large."""

    __tablename__ = "delivery_contexts"

    id: Mapped[str] = id_column("dctx")
    document: Mapped[JsonObject] = mapped_column(JsonDocument)


class DeliveryRow(Base):
    """A notification for an app; `id` is the call id of every attempt.

    `context` and `request` never change, so that the app gets the same body each time. `attempts`
    counts all attempts, `failures` those that count towards the last one, `lost` the latest ones
    in a row whose process died. `settled_at` is set exactly if the delivery is delivered or dead.
    """

    __tablename__ = "deliveries"

    id: Mapped[str] = id_column("call")
    stream: Mapped[str] = mapped_column(String(STREAM_LENGTH))
    position: Mapped[int]
    app_id: Mapped[str] = mapped_column(String(APP_ID_LENGTH))
    app_version: Mapped[str] = mapped_column(String(VERSION_LENGTH))
    capability: Mapped[str] = mapped_column(String(NAME_LENGTH))
    hook: Mapped[str] = mapped_column(String(NAME_LENGTH))
    room_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    context_id: Mapped[str] = mapped_column(ForeignKey("delivery_contexts.id", ondelete="RESTRICT"))
    request: Mapped[JsonObject] = mapped_column(JsonDocument, deferred=True)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[DeliveryState] = enum_column(DeliveryState, default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    lost: Mapped[int] = mapped_column(default=0)
    last_code: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    last_error: Mapped[str | None] = mapped_column(String(ERROR_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("stream", "position"),
        # the head of a stream: the first that is not settled
        Index(
            "ix_deliveries_head",
            "stream",
            "position",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_deliveries_state", "state", "settled_at"),  # dead letters, and clean-up
        Index("ix_deliveries_created_at", "created_at", "id"),  # the listing, newest first
        Index("ix_deliveries_app_id", "app_id", "created_at"),  # of one app
        Index("ix_deliveries_room_id", "room_id", "created_at"),  # of one room
        Index("ix_deliveries_context_id", "context_id"),  # clean-up: unused contexts
    )


class AttemptRow(Base):
    """One attempt to send a delivery; its id is the lease under which its outcome is written."""

    __tablename__ = "delivery_attempts"

    id: Mapped[str] = id_column("try")
    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    number: Mapped[int]
    outcome: Mapped[AttemptOutcome] = enum_column(AttemptOutcome, default=AttemptOutcome.RUNNING)
    code: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    message: Mapped[str | None] = mapped_column(String(ERROR_LENGTH))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    duration_ms: Mapped[int | None]

    __table_args__ = (UniqueConstraint("delivery_id", "number"),)  # the attempts of a delivery
