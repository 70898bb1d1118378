"""windows keep the language by which their texts are folded.

Revision 0006, after 0005; 2026-12-01.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("fold_locale", sa.String(length=16), server_default="", nullable=False)
        )
    op.execute(
        "UPDATE windows SET fold_locale ="
        " (SELECT locale FROM rooms WHERE rooms.id = windows.room_id)"
    )
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.alter_column("fold_locale", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.drop_column("fold_locale")
