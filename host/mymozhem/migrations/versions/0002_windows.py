"""Windows and what is submitted to them.

Revision 0002, after 0001; 2026-11-22.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db import base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "windows",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "paused",
                "tallying",
                "closed",
                "void",
                name="window_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("prompt", base.JsonDocument(), nullable=False),
        sa.Column("accepts", base.JsonDocument(), nullable=False),
        sa.Column("data", base.JsonDocument(), nullable=False),
        sa.Column("roles", base.JsonDocument(), nullable=False),
        sa.Column("participants", base.JsonDocument(), nullable=True),
        sa.Column(
            "submissions",
            sa.Enum(
                "once",
                "latest",
                "many",
                name="submission_mode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("min_elapsed_ms", sa.BigInteger(), nullable=False),
        sa.Column(
            "close_on",
            sa.Enum(
                "deadline",
                "firstRight",
                "everyoneAnswered",
                "action",
                name="close_on",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "judge",
            sa.Enum(
                "rules",
                "app",
                "close",
                name="judge",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("rules", base.JsonDocument(), nullable=True),
        sa.Column("fold", base.JsonDocument(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("announce_verdicts", sa.Boolean(), nullable=False),
        sa.Column("announce_standings", sa.Boolean(), nullable=False),
        sa.Column(
            "results",
            sa.Enum(
                "onClose",
                "onReveal",
                name="results",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("shared", base.JsonDocument(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("last_ordinal", sa.Integer(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("opens_at", base.UtcDateTime(), nullable=False),
        sa.Column("closes_at", base.UtcDateTime(), nullable=True),
        sa.Column("paused_at", base.UtcDateTime(), nullable=True),
        sa.Column("checked_at", base.UtcDateTime(), nullable=False),
        sa.Column(
            "close_reason",
            sa.Enum(
                "deadline",
                "firstRight",
                "everyoneAnswered",
                "app",
                "organizer",
                "room",
                name="close_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("closed_at", base.UtcDateTime(), nullable=True),
        sa.Column(
            "decided_by",
            sa.Enum(
                "app",
                "platform",
                "cache",
                "queue",
                "review",
                "hold",
                "fallback",
                "nobody",
                name="decided_by",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("settled_at", base.UtcDateTime(), nullable=True),
        sa.Column("revealed_at", base.UtcDateTime(), nullable=True),
        sa.Column("due_at", base.UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(length=48), nullable=True),
        sa.Column("lease_until", base.UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.CheckConstraint("answered >= 0", name=op.f("ck_windows_answered")),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_windows_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_windows")),
        sa.UniqueConstraint("room_id", "name", name=op.f("uq_windows_room_id_name")),
    )
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.create_index("ix_windows_due_at", ["due_at"], unique=False)
        batch_op.create_index(
            "ix_windows_room_id_created_at", ["room_id", "created_at"], unique=False
        )
        batch_op.create_index("ix_windows_status", ["status"], unique=False)

    op.create_table(
        "submissions",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("window_id", sa.String(length=48), nullable=False),
        sa.Column("participant_id", sa.String(length=48), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("payload", base.JsonDocument(), nullable=True),
        sa.Column("received_at", base.UtcDateTime(), nullable=False),
        sa.Column("elapsed_ms", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("single", sa.Boolean(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.Column(
            "verdict",
            sa.Enum(
                "right",
                "wrong",
                "pending",
                "none",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.Column("credited", sa.Integer(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participants.id"],
            name=op.f("fk_submissions_participant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_submissions_room_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["window_id"], ["windows.id"], name=op.f("fk_submissions_window_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("window_id", "ordinal", name=op.f("uq_submissions_window_id_ordinal")),
    )
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_submissions_participant_id", ["participant_id", "created_at"], unique=False
        )
        batch_op.create_index("ix_submissions_room_id", ["room_id"], unique=False)
        batch_op.create_index(
            "ix_submissions_window_id_participant_id", ["window_id", "participant_id"], unique=False
        )
        batch_op.create_index(
            "uq_submissions_key",
            ["window_id", "participant_id", "key"],
            unique=True,
            sqlite_where=sa.text("key IS NOT NULL"),
            postgresql_where=sa.text("key IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_submissions_single",
            ["window_id", "participant_id"],
            unique=True,
            sqlite_where=sa.text("single AND counts"),
            postgresql_where=sa.text("single AND counts"),
        )

    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("standings_hidden", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.add_column(sa.Column("window_id", sa.String(length=48), nullable=True))
        batch_op.add_column(
            sa.Column("sealed", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.create_index("ix_scores_window_id", ["window_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_scores_window_id"), "windows", ["window_id"], ["id"], ondelete="CASCADE"
        )


def downgrade() -> None:
    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_scores_window_id"), type_="foreignkey")
        batch_op.drop_index("ix_scores_window_id")
        batch_op.drop_column("sealed")
        batch_op.drop_column("window_id")

    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.drop_column("standings_hidden")

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_submissions_single",
            sqlite_where=sa.text("single AND counts"),
            postgresql_where=sa.text("single AND counts"),
        )
        batch_op.drop_index(
            "uq_submissions_key",
            sqlite_where=sa.text("key IS NOT NULL"),
            postgresql_where=sa.text("key IS NOT NULL"),
        )
        batch_op.drop_index("ix_submissions_window_id_participant_id")
        batch_op.drop_index("ix_submissions_room_id")
        batch_op.drop_index("ix_submissions_participant_id")

    op.drop_table("submissions")
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.drop_index("ix_windows_status")
        batch_op.drop_index("ix_windows_room_id_created_at")
        batch_op.drop_index("ix_windows_due_at")

    op.drop_table("windows")
    op.drop_table("heartbeats")
