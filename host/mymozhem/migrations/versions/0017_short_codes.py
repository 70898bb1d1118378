"""six-digit codes of rooms whose doors are open.

Revision 0017, after 0016; 2026-12-01.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ROOMS = sa.table(
    "rooms",
    sa.column("id", sa.String),
    sa.column("status", sa.String),
    sa.column("doors_locked", sa.Boolean),
    sa.column("deleted_at", sa.String),
    sa.column("short_code", sa.String),
)


def upgrade() -> None:
    with op.batch_alter_table("rooms") as rooms:
        rooms.add_column(sa.Column("short_code", sa.String(length=6), nullable=True))
        rooms.create_index("ix_rooms_short_code", ["short_code"], unique=True)
    connection = op.get_bind()
    opened = connection.scalars(
        sa.select(_ROOMS.c.id).where(
            _ROOMS.c.status == "ACTIVE",
            _ROOMS.c.doors_locked.is_(False),
            _ROOMS.c.deleted_at.is_(None),
        )
    ).all()
    codes = secrets.SystemRandom().sample(range(10**6), len(opened))
    for room_id, code in zip(opened, codes, strict=True):
        connection.execute(
            sa.update(_ROOMS).where(_ROOMS.c.id == room_id).values(short_code=f"{code:06}")
        )


def downgrade() -> None:
    with op.batch_alter_table("rooms") as rooms:
        rooms.drop_index("ix_rooms_short_code")
        rooms.drop_column("short_code")
