"""The tables of monitoring: counts of calls, health checks, alerts, mails."""

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
    """The length of the span of one row of counts."""

    FINE = "fine"  #: five minutes
    HOUR = "hour"  #: an hour


class Severity(StrEnum):
    """How severe an alert is."""

    WARNING = "warning"  #: look at it in the morning
    CRITICAL = "critical"  #: people are affected now


class RuleName(StrEnum):
    """What an alert is about."""

    MISCONFIGURED = "misconfigured"  #: an app's server rejects the host's calls
    SUCCESS_RATE = "successRate"  #: too many calls of an app failed
    SLOW = "slow"  #: an app replies close to its deadline
    BREAKER = "breaker"  #: an app is not called for a while
    DEAD_LETTERS = "deadLetters"  #: deliveries were given up
    CHECKS = "checks"  #: an app's own health check fails
    APP_OFF = "appOff"  #: an app was stopped, or its rooms are orphaned
    BLOCKED = "blocked"  #: an app's code blocks the host
    TIMERS = "timers"  #: an app wants more timers than a room may have
    CLOCK = "clock"  #: the clock of the machine has jumped


class AppStatus(StrEnum):
    """The result of a health check."""

    OK = "ok"  #: the app reports that it works
    DEGRADED = "degraded"  #: the app reports that it works with limitations
    DOWN = "down"  #: the app reports that it does not work
    FAILED = "failed"  #: the app did not reply in time, or not in a readable way


class CallCountRow(Base):
    """Calls of one kind in one span; processes add to it, none overwrites it.

    `code` is empty if the app replied; `bucket` is an index of `duration_buckets.BOUNDS`, -1 if the
    app was not called. `slow` counts calls that took most of their deadline.
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
        # to add to a span, and for every read, which selects a grain since a moment
        UniqueConstraint(
            "grain", "started_at", "app_id", "version", "capability", "code", "bucket",
            name="uq_call_counts_span",
        ),
        Index("ix_call_counts_app_id", "app_id", "grain", "started_at"),  # one app's health
    )  # fmt: skip


class HealthCheckRow(Base):
    """The last health check of a version of an app; the next check overwrites it."""

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
    """An alert: opened once, announced once, closed when it is over.

    `key` identifies the problem, so that no two open alerts have the same. `told` is the severity
    that the last mail named, None without a mail; `rooms` are some of the `room_count` affected
    ones, as they were when it opened or got worse.
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
        # one open alert per key, whichever process evaluates
        Index(
            "uq_alerts_open_key", "key", unique=True,
            sqlite_where=text("recovered_at IS NULL"),
            postgresql_where=text("recovered_at IS NULL"),
        ),
        # the list, open ones first
        Index("ix_alerts_recovered_at", "recovered_at", "opened_at"),
        # alerts with unsent news
        Index("ix_alerts_recovery_told_at", "recovery_told_at"),
        Index("ix_alerts_app_id", "app_id", "opened_at"),  # one app's incidents
    )  # fmt: skip


class OutgoingMailRow(Base):
    """A queued mail: sent once, and retried while the server is unreachable."""

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
        Index("ix_outgoing_mails_next_at", "next_at"),  # due mails; NULL if settled
        Index("ix_outgoing_mails_created_at", "created_at"),  # clean-up
    )


class HealthTurnRow(Base):
    """When a task that one process does for all is due next."""

    __tablename__ = "health_turns"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
