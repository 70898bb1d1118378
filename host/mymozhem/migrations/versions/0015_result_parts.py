"""results of windows, and notices to organizers, wait in tables until they are written.

Revision 0015, after 0014; 2026-12-01.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db.base import JsonDocument, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("results_pending", sa.Integer(), server_default="0", nullable=False)
        )
    op.create_table(
        "result_parts",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("window_id", sa.String(length=48), nullable=False),
        sa.Column("first_ordinal", sa.Integer(), nullable=False),
        sa.Column("last_ordinal", sa.Integer(), nullable=False),
        sa.Column("judging", sa.String(length=32), nullable=False),
        sa.Column("verdicts", JsonDocument(), nullable=False),
        sa.Column("actor_id", sa.String(length=48), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("lease", sa.String(length=48), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_result_parts_room_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["window_id"],
            ["windows.id"],
            name=op.f("fk_result_parts_window_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_parts")),
        sa.UniqueConstraint(
            "window_id", "first_ordinal", name=op.f("uq_result_parts_window_id_first_ordinal")
        ),
        sa.CheckConstraint(
            "judging IN ('settle', 'rules', 'named', 'keep')",
            name=op.f("ck_result_parts_judging"),
        ),
    )
    with op.batch_alter_table("result_parts", schema=None) as batch_op:
        batch_op.create_index("ix_result_parts_due_at", ["due_at"], unique=False)
        batch_op.create_index("ix_result_parts_room_id", ["room_id"], unique=False)
    op.create_table(
        "unsent_notices",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("people", JsonDocument(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("lease", sa.String(length=48), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsent_notices")),
    )
    with op.batch_alter_table("unsent_notices", schema=None) as batch_op:
        batch_op.create_index("ix_unsent_notices_due_at", ["due_at"], unique=False)


def downgrade() -> None:
    op.drop_table("unsent_notices")
    op.drop_table("result_parts")
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.drop_column("results_pending")
