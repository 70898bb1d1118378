"""sessions of people, and the blacklist of revoked tokens.

Revision 0013, after 0012; 2026-12-01.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db import base

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KINDS = ("token", "session", "person")
REASONS = (
    "logout",
    "security_breach",
    "manual_revoke",
    "password_changed",
    "deactivated",
    "deleted",
)


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("refresh_token_hash", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("device_info", sa.String(length=200), nullable=True),
        sa.Column("ip_address", sa.String(length=64), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("last_used_at", base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("refresh_token_hash", name=op.f("uq_sessions_refresh_token_hash")),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_last_used_at", "sessions", ["last_used_at"])
    op.create_table(
        "token_blacklist",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("kind", _enum("revocation_kind", KINDS), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("not_before", base.UtcDateTime(), nullable=True),
        sa.Column("expires_at", base.UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("reason", _enum("revocation_reason", REASONS), nullable=False),
        sa.Column("revoked_at", base.UtcDateTime(), nullable=False),
        sa.Column("revoked_by", sa.String(length=48), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_blacklist")),
    )
    for column in ("key_hash", "expires_at", "revoked_at", "user_id"):
        op.create_index(f"ix_token_blacklist_{column}", "token_blacklist", [column])


def downgrade() -> None:
    op.drop_table("token_blacklist")
    op.drop_table("sessions")


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
