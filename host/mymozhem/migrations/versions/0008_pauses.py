"""windows remember their pauses, so that what arrived before one counts by those before it.

Revision 0008, after 0007; 2026-12-01.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db.base import JsonDocument

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("pauses", JsonDocument(), server_default="[]", nullable=False)
        )
    # The default is for the rows that exist; it could not be compared with the models later.
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.alter_column("pauses", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.drop_column("pauses")
