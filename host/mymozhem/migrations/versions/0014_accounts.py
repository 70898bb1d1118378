"""one-time links, and the deactivation of accounts.

Revision 0014, after 0013; 2026-12-01.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db import base

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("deactivated_at", base.UtcDateTime(), nullable=True))
        users.add_column(sa.Column("deactivated_reason", sa.String(length=200), nullable=True))
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invitation",
                "password",
                name="link_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("user_id", sa.String(length=48), nullable=True),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("proves_email", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(length=48), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(), nullable=False),
        sa.Column("used_at", base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_one_time_links_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_links_token_hash")),
    )
    op.create_index("ix_one_time_links_email", "one_time_links", ["email", "created_at"])
    op.create_index("ix_one_time_links_user_id", "one_time_links", ["user_id"])
    op.create_index("ix_one_time_links_expires_at", "one_time_links", ["expires_at"])
    op.create_index("ix_one_time_links_kind", "one_time_links", ["kind", "created_at"])


def downgrade() -> None:
    op.drop_table("one_time_links")
    with op.batch_alter_table("users") as users:
        users.drop_column("deactivated_reason")
        users.drop_column("deactivated_at")
