"""Remote apps: their keys, breakers, deliveries, health and queued calls.

Revision 0003, after 0002; 2026-11-23.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db import base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column(
            "rule",
            sa.Enum(
                "misconfigured",
                "successRate",
                "slow",
                "breaker",
                "deadLetters",
                "checks",
                "appOff",
                name="rule_name",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "severity",
            sa.Enum(
                "warning",
                "critical",
                name="severity",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("app_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.String(length=128), nullable=True),
        sa.Column("capability", sa.String(length=64), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("rooms", base.JsonDocument(), nullable=False),
        sa.Column("room_count", sa.Integer(), nullable=False),
        sa.Column("opened_at", base.UtcDateTime(), nullable=False),
        sa.Column("changed_at", base.UtcDateTime(), nullable=False),
        sa.Column("seen_at", base.UtcDateTime(), nullable=False),
        sa.Column("recovered_at", base.UtcDateTime(), nullable=True),
        sa.Column("told", sa.String(length=32), nullable=True),
        sa.Column("told_at", base.UtcDateTime(), nullable=True),
        sa.Column("recovery_told_at", base.UtcDateTime(), nullable=True),
        sa.Column("acknowledged_at", base.UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=48), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_app_id", ["app_id", "opened_at"], unique=False)
        batch_op.create_index("ix_alerts_recovered_at", ["recovered_at", "opened_at"], unique=False)
        batch_op.create_index("ix_alerts_recovery_told_at", ["recovery_told_at"], unique=False)
        batch_op.create_index(
            "uq_alerts_open_key",
            ["key"],
            unique=True,
            sqlite_where=sa.text("recovered_at IS NULL"),
            postgresql_where=sa.text("recovered_at IS NULL"),
        )

    op.create_table(
        "breaker_openings",
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("capability", sa.String(length=64), nullable=False),
        sa.Column("opening", sa.String(length=48), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("opened_at", base.UtcDateTime(), nullable=False),
        sa.Column("open_until", base.UtcDateTime(), nullable=False),
        sa.Column("probe", sa.String(length=48), nullable=True),
        sa.Column("probe_until", base.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint(
            "app_id", "version", "capability", name=op.f("pk_breaker_openings")
        ),
    )
    op.create_table(
        "call_counts",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column(
            "grain",
            sa.Enum(
                "fine", "hour", name="grain", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("started_at", base.UtcDateTime(), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("capability", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("fallbacks", sa.BigInteger(), nullable=False),
        sa.Column("slow", sa.BigInteger(), nullable=False),
        sa.Column("total_ms", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_counts")),
        sa.UniqueConstraint(
            "grain",
            "started_at",
            "app_id",
            "version",
            "capability",
            "code",
            "bucket",
            name="uq_call_counts_span",
        ),
    )
    with op.batch_alter_table("call_counts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_call_counts_app_id", ["app_id", "grain", "started_at"], unique=False
        )

    op.create_table(
        "delivery_contexts",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("document", base.JsonDocument(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_contexts")),
    )
    op.create_table(
        "delivery_streams",
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("last_position", sa.Integer(), nullable=False),
        sa.Column("next_at", base.UtcDateTime(), nullable=True),
        sa.Column("parked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("lease", sa.String(length=48), nullable=True),
        sa.Column("lease_until", base.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_delivery_streams")),
    )
    with op.batch_alter_table("delivery_streams", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_streams_app_id", ["app_id"], unique=False)
        batch_op.create_index("ix_delivery_streams_next_at", ["next_at"], unique=False)

    op.create_table(
        "health_checks",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "ok",
                "degraded",
                "down",
                "failed",
                name="app_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("details", base.JsonDocument(), nullable=False),
        sa.Column("since", base.UtcDateTime(), nullable=False),
        sa.Column("checked_at", base.UtcDateTime(), nullable=False),
        sa.Column("failures_in_a_row", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_checks")),
        sa.UniqueConstraint("app_id", "version", name=op.f("uq_health_checks_app_id_version")),
    )
    op.create_table(
        "health_turns",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("due_at", base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_health_turns")),
    )
    op.create_table(
        "outgoing_mails",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", base.UtcDateTime(), nullable=True),
        sa.Column("sent_at", base.UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mails")),
    )
    with op.batch_alter_table("outgoing_mails", schema=None) as batch_op:
        batch_op.create_index("ix_outgoing_mails_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_outgoing_mails_next_at", ["next_at"], unique=False)

    op.create_table(
        "webhook_lists",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_lists")),
    )
    with op.batch_alter_table("webhook_lists", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_lists_expires_at", ["expires_at"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("app_version", sa.String(length=128), nullable=False),
        sa.Column("capability", sa.String(length=64), nullable=False),
        sa.Column("hook", sa.String(length=64), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=True),
        sa.Column("context_id", sa.String(length=48), nullable=False),
        sa.Column("request", base.JsonDocument(), nullable=False),
        sa.Column("occurred_at", base.UtcDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "accepted",
                "delivered",
                "dead",
                name="delivery_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("last_code", sa.String(length=64), nullable=True),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("settled_at", base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["context_id"],
            ["delivery_contexts.id"],
            name=op.f("fk_deliveries_context_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("stream", "position", name=op.f("uq_deliveries_stream_position")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_app_id", ["app_id", "created_at"], unique=False)
        batch_op.create_index("ix_deliveries_context_id", ["context_id"], unique=False)
        batch_op.create_index("ix_deliveries_created_at", ["created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_deliveries_head",
            ["stream", "position"],
            unique=False,
            sqlite_where=sa.text("settled_at IS NULL"),
            postgresql_where=sa.text("settled_at IS NULL"),
        )
        batch_op.create_index("ix_deliveries_room_id", ["room_id", "created_at"], unique=False)
        batch_op.create_index("ix_deliveries_state", ["state", "settled_at"], unique=False)

    op.create_table(
        "app_secrets",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "shared",
                "ed25519",
                name="secret_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"], ["apps.app_id"], name=op.f("fk_app_secrets_app_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_secrets")),
        sa.UniqueConstraint("app_id", "kid", name=op.f("uq_app_secrets_app_id_kid")),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("delivery_id", sa.String(length=48), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "running",
                "delivered",
                "accepted",
                "failed",
                "lost",
                name="attempt_outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("message", sa.String(length=1000), nullable=True),
        sa.Column("started_at", base.UtcDateTime(), nullable=False),
        sa.Column("ended_at", base.UtcDateTime(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_delivery_attempts_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
        sa.UniqueConstraint(
            "delivery_id", "number", name=op.f("uq_delivery_attempts_delivery_id_number")
        ),
    )
    op.create_table(
        "queued_calls",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("app_version", sa.String(length=128), nullable=False),
        sa.Column("hook", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=48), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("answered_at", base.UtcDateTime(), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_queued_calls_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queued_calls")),
        sa.UniqueConstraint("call_id", name=op.f("uq_queued_calls_call_id")),
    )
    with op.batch_alter_table("queued_calls", schema=None) as batch_op:
        batch_op.create_index("ix_queued_calls_room_id", ["room_id"], unique=False)

    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False)
        )
        batch_op.add_column(sa.Column("owner_id", sa.String(length=48), nullable=True))
        batch_op.add_column(sa.Column("owner_email", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("stopped_at", base.UtcDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "stop_cause",
                sa.Enum(
                    "operator",
                    "gone",
                    name="stop_cause",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("stop_reason", sa.String(length=1000), nullable=True))
        batch_op.create_index("ix_apps_owner_id", ["owner_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_apps_owner_id"), "users", ["owner_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_apps_owner_id"), type_="foreignkey")
        batch_op.drop_index("ix_apps_owner_id")
        batch_op.drop_constraint(batch_op.f("ck_apps_stop_cause"), type_="check")
        batch_op.drop_column("stop_reason")
        batch_op.drop_column("stop_cause")
        batch_op.drop_column("stopped_at")
        batch_op.drop_column("owner_email")
        batch_op.drop_column("owner_id")
        batch_op.drop_column("revision")

    with op.batch_alter_table("queued_calls", schema=None) as batch_op:
        batch_op.drop_index("ix_queued_calls_room_id")

    op.drop_table("queued_calls")
    op.drop_table("delivery_attempts")
    op.drop_table("app_secrets")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_state")
        batch_op.drop_index("ix_deliveries_room_id")
        batch_op.drop_index(
            "ix_deliveries_head",
            sqlite_where=sa.text("settled_at IS NULL"),
            postgresql_where=sa.text("settled_at IS NULL"),
        )
        batch_op.drop_index("ix_deliveries_created_at")
        batch_op.drop_index("ix_deliveries_context_id")
        batch_op.drop_index("ix_deliveries_app_id")

    op.drop_table("deliveries")
    with op.batch_alter_table("webhook_lists", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_lists_expires_at")

    op.drop_table("webhook_lists")
    with op.batch_alter_table("outgoing_mails", schema=None) as batch_op:
        batch_op.drop_index("ix_outgoing_mails_next_at")
        batch_op.drop_index("ix_outgoing_mails_created_at")

    op.drop_table("outgoing_mails")
    op.drop_table("health_turns")
    op.drop_table("health_checks")
    with op.batch_alter_table("delivery_streams", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_streams_next_at")
        batch_op.drop_index("ix_delivery_streams_app_id")

    op.drop_table("delivery_streams")
    op.drop_table("delivery_contexts")
    with op.batch_alter_table("call_counts", schema=None) as batch_op:
        batch_op.drop_index("ix_call_counts_app_id")

    op.drop_table("call_counts")
    op.drop_table("breaker_openings")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_alerts_open_key",
            sqlite_where=sa.text("recovered_at IS NULL"),
            postgresql_where=sa.text("recovered_at IS NULL"),
        )
        batch_op.drop_index("ix_alerts_recovery_told_at")
        batch_op.drop_index("ix_alerts_recovered_at")
        batch_op.drop_index("ix_alerts_app_id")

    op.drop_table("alerts")
