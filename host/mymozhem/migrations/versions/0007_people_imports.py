"""people of an import wait in a table of their own until they are added.

Revision 0007, after 0006; 2026-12-01.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db.base import JsonDocument, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people_imports",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("people", JsonDocument(), nullable=False),
        sa.Column("actor_id", sa.String(length=48), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("lease", sa.String(length=48), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"],
            ["rooms.id"],
            name=op.f("fk_people_imports_room_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_imports")),
    )
    with op.batch_alter_table("people_imports", schema=None) as batch_op:
        batch_op.create_index("ix_people_imports_due_at", ["due_at"], unique=False)
        batch_op.create_index("ix_people_imports_room_id", ["room_id"], unique=False)


def downgrade() -> None:
    op.drop_table("people_imports")
