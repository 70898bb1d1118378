"""return codes of guests.

Revision 0016, after 0015; 2026-12-01.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("participants") as participants:
        participants.add_column(sa.Column("guest_session_id", sa.String(length=48), nullable=True))
        participants.add_column(sa.Column("return_code_hash", sa.String(length=64), nullable=True))
        participants.create_index(
            "ix_participants_return_code", ["room_id", "return_code_hash"], unique=True
        )


def downgrade() -> None:
    with op.batch_alter_table("participants") as participants:
        participants.drop_index("ix_participants_return_code")
        participants.drop_column("return_code_hash")
        participants.drop_column("guest_session_id")
