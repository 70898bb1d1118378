"""locks.

Revision 0004, after 0003; 2026-11-23.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db import base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lock_drifts",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("named", sa.String(length=128), nullable=False),
        sa.Column("expected", sa.String(length=64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", base.UtcDateTime(), nullable=False),
        sa.Column("last_at", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_lock_drifts_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lock_drifts")),
        sa.UniqueConstraint("room_id", "named", name=op.f("uq_lock_drifts_room_id_named")),
    )
    with op.batch_alter_table("lock_drifts", schema=None) as batch_op:
        batch_op.create_index("ix_lock_drifts_last_at", ["last_at"], unique=False)

    op.create_table(
        "room_served_by",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("lock_id", sa.String(length=48), nullable=False),
        sa.Column("target", base.JsonDocument(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("since", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_room_served_by_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_served_by")),
    )
    with op.batch_alter_table("room_served_by", schema=None) as batch_op:
        batch_op.create_index("ix_room_served_by_room_id", ["room_id", "since"], unique=False)

    with op.batch_alter_table("draws", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reserves", base.JsonDocument(), nullable=True))

    with op.batch_alter_table("room_locks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("before", base.JsonDocument(), nullable=True))

    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.add_column(sa.Column("served_target", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.drop_column("served_target")

    with op.batch_alter_table("room_locks", schema=None) as batch_op:
        batch_op.drop_column("before")

    with op.batch_alter_table("draws", schema=None) as batch_op:
        batch_op.drop_column("reserves")

    with op.batch_alter_table("room_served_by", schema=None) as batch_op:
        batch_op.drop_index("ix_room_served_by_room_id")

    op.drop_table("room_served_by")
    with op.batch_alter_table("lock_drifts", schema=None) as batch_op:
        batch_op.drop_index("ix_lock_drifts_last_at")

    op.drop_table("lock_drifts")
