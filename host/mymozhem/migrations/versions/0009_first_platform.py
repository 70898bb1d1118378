"""What people write about themselves when they join, and what notifications are about.

Revision 0009, after 0008; 2026-12-01.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db import base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("self_metadata", base.JsonDocument(), nullable=True))

    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.add_column(sa.Column("type", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("winner_id", sa.String(length=48), nullable=True))
        batch_op.add_column(sa.Column("prize_id", sa.String(length=48), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.drop_column("prize_id")
        batch_op.drop_column("winner_id")
        batch_op.drop_column("type")

    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.drop_column("self_metadata")
