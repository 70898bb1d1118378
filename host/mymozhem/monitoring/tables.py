"""The rows of health: counts of calls, what apps said of themselves, incidents, mails."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Float, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract import JsonObject
from mymozhem.db.base import ID_LENGTH, Base, JsonDocument, UtcDateTime, enum_column, id_column
from mymozhem.registry.tables import APP_ID_LENGTH, VERSION_LENGTH

CODE_LENGTH = 64
KEY_LENGTH = 200


class Grain(StrEnum):
    """How long a span one row of counts stands for."""

    FINE = "fine"  #: five minutes
    HOUR = "hour"  #: an hour


class Severity(StrEnum):
    """How bad an incident is."""

    WARNING = "warning"  #: look at it in the morning
    CRITICAL = "critical"  #: people suffer now


class RuleName(StrEnum):
    """What an alert is about."""

    MISCONFIGURED = "misconfigured"  #: an app's server does not know us, or its address
    SUCCESS_RATE = "successRate"  #: too many calls of an app failed
    SLOW = "slow"  #: an app answers close to its deadline
    BREAKER = "breaker"  #: an app is not asked for a while
    DEAD_LETTERS = "deadLetters"  #: deliveries were given up
    CHECKS = "checks"  #: an app's own health check fails
    APP_OFF = "appOff"  #: an app was stopped, or nothing answers for its rooms


class AppStatus(StrEnum):
    """What became of a health check."""

    OK = "ok"  #: the app said that it is well
    DEGRADED = "degraded"  #: the app said that it works with less
    DOWN = "down"  #: the app said that it does not work
    FAILED = "failed"  #: the app said nothing in time, or nothing that could be read


class CallCountRow(Base):
    """Calls of one kind in one span; processes add to it, none overwrites it.

    `code` is empty where the app answered; `bucket` is that of `buckets.BOUNDS`, -1 where the app
    was not asked. `slow` counts calls that took most of their deadline.
    """

    __tablename__ = "call_counts"

    id: Mapped[str] = id_column("cnt")
    grain: Mapped[Grain] = enum_column(Grain)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    app_id: Mapped[str] = mapped_column(String(APP_ID_LENGTH))
    version: Mapped[str] = mapped_column(String(VERSION_LENGTH))
    capability: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    bucket: Mapped[int] = mapped_column(Integer)
    calls: Mapped[int] = mapped_column(BigInteger)
    fallbacks: Mapped[int] = mapped_column(BigInteger)
    slow: Mapped[int] = mapped_column(BigInteger)
    total_ms: Mapped[float] = mapped_column(Float(53))

    __table_args__ = (
        # adding to a span; also every reading, which asks for a grain since a moment
        UniqueConstraint(
            "grain", "started_at", "app_id", "version", "capability", "code", "bucket",
            name="uq_call_counts_span",
        ),
        Index("ix_call_counts_app_id", "app_id", "grain", "started_at"),  # one app's health
    )  # fmt: skip


class HealthCheckRow(Base):
    """What a version of an app said of itself; one row for each, overwritten by the next check."""

    __tablename__ = "health_checks"

    id: Mapped[str] = id_column("chk")
    app_id: Mapped[str] = mapped_column(String(APP_ID_LENGTH))
    version: Mapped[str] = mapped_column(String(VERSION_LENGTH))
    status: Mapped[AppStatus] = enum_column(AppStatus)
    details: Mapped[JsonObject] = mapped_column(JsonDocument, default=dict)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    failures_in_a_row: Mapped[int] = mapped_column(default=0)

    __table_args__ = (UniqueConstraint("app_id", "version"),)  # the check of a version


class AlertRow(Base):
    """An incident: opened once, told once, closed when it is over.

    `key` names what is wrong, so that no two open incidents are about the same. `told` is the
    severity that people were told of, None as long as they were not; `rooms` are some of the
    `room_count` that suffer, as they were when it opened or got worse.
    """

    __tablename__ = "alerts"

    id: Mapped[str] = id_column("alrt")
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    rule: Mapped[RuleName] = enum_column(RuleName)
    severity: Mapped[Severity] = enum_column(Severity)
    app_id: Mapped[str | None] = mapped_column(String(APP_ID_LENGTH))
    version: Mapped[str | None] = mapped_column(String(VERSION_LENGTH))
    capability: Mapped[str | None] = mapped_column(String(64))
    code: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    summary: Mapped[str] = mapped_column(Text)
    advice: Mapped[str] = mapped_column(Text)
    rooms: Mapped[list[JsonObject]] = mapped_column(JsonDocument, default=list)
    room_count: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recovered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told: Mapped[str | None] = mapped_column(String(32))
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recovery_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by: Mapped[str | None] = mapped_column(String(ID_LENGTH))

    __table_args__ = (
        # one incident at a time about one thing, whoever evaluates
        Index(
            "uq_alerts_open_key", "key", unique=True,
            sqlite_where=text("recovered_at IS NULL"),
            postgresql_where=text("recovered_at IS NULL"),
        ),
        # the listing, those that are open first
        Index("ix_alerts_recovered_at", "recovered_at", "opened_at"),
        # news that nobody was told of
        Index("ix_alerts_recovery_told_at", "recovery_told_at"),
        Index("ix_alerts_app_id", "app_id", "opened_at"),  # one app's incidents
    )  # fmt: skip


class OutgoingMailRow(Base):
    """A mail on its way: sent once, tried again later as long as the server is away."""

    __tablename__ = "outgoing_mails"

    id: Mapped[str] = id_column("mail")
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_outgoing_mails_next_at", "next_at"),  # what is due; NULL is nothing more to do
        Index("ix_outgoing_mails_created_at", "created_at"),  # clean-up
    )


class HealthTurnRow(Base):
    """When something is due next that one process does for all."""

    __tablename__ = "health_turns"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
