"""windows and timers are found by `key`, as draws are.

Revision 0005, after 0004; 2026-12-01.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_timers_room_id_space_name"), type_="unique")
        batch_op.alter_column("name", new_column_name="key")

    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.create_unique_constraint(
            batch_op.f("uq_timers_room_id_space_key"), ["room_id", "space", "key"]
        )

    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_windows_room_id_name"), type_="unique")
        batch_op.alter_column("name", new_column_name="key")

    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.create_unique_constraint(batch_op.f("uq_windows_room_id_key"), ["room_id", "key"])


def downgrade() -> None:
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_windows_room_id_key"), type_="unique")
        batch_op.alter_column("key", new_column_name="name")

    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.create_unique_constraint(
            batch_op.f("uq_windows_room_id_name"), ["room_id", "name"]
        )

    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_timers_room_id_space_key"), type_="unique")
        batch_op.alter_column("key", new_column_name="name")

    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.create_unique_constraint(
            batch_op.f("uq_timers_room_id_space_name"), ["room_id", "space", "name"]
        )
