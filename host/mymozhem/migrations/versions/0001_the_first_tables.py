"""The first tables.

Revision 0001, after nothing; 2026-11-22.
"""

import sqlalchemy as sa
from alembic import op

from mymozhem.db import base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "apps",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "plugin",
                "remote",
                name="app_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("manifest_version", sa.String(length=128), nullable=True),
        sa.Column("target", base.JsonDocument(), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", base.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apps")),
        sa.UniqueConstraint("app_id", name=op.f("uq_apps_app_id")),
    )
    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.create_index("ix_apps_deleted_at", ["deleted_at"], unique=False)
        batch_op.create_index("ix_apps_is_active", ["is_active"], unique=False)
        batch_op.create_index("ix_apps_manifest_version", ["manifest_version"], unique=False)

    op.create_table(
        "audit_entries",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("actor_id", sa.String(length=48), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=True),
        sa.Column("subject", sa.String(length=48), nullable=True),
        sa.Column("details", base.JsonDocument(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entries_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_audit_entries_room_id", ["room_id", "created_at"], unique=False)

    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("response", base.JsonDocument(), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_keys_expires_at", ["expires_at"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("avatar_url", sa.String(length=2048), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "registered",
                "guest",
                name="person_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", base.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index("ix_users_deleted_at", ["deleted_at"], unique=False)
        batch_op.create_index(
            "uq_users_email",
            ["email"],
            unique=True,
            sqlite_where=sa.text("kind = 'registered' AND deleted_at IS NULL"),
            postgresql_where=sa.text("kind = 'registered' AND deleted_at IS NULL"),
        )

    op.create_table(
        "identities",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("provider", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("secret_hash", sa.String(length=255), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_identities_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("provider", "subject", name=op.f("uq_identities_provider_subject")),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index("ix_identities_user_id", ["user_id"], unique=False)

    op.create_table(
        "manifest_versions",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("manifest", base.JsonDocument(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_at", base.UtcDateTime(), nullable=False),
        sa.Column("deprecated_at", base.UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("deadline", base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"],
            ["apps.app_id"],
            name=op.f("fk_manifest_versions_app_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest_versions")),
        sa.UniqueConstraint("app_id", "version", name=op.f("uq_manifest_versions_app_id_version")),
    )
    op.create_table(
        "rooms",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("app_settings", base.JsonDocument(), nullable=False),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("app_manifest_version", sa.String(length=64), nullable=False),
        sa.Column("lock_id", sa.String(length=48), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "DRAFT",
                "ACTIVE",
                "COMPLETED",
                "CANCELLED",
                name="room_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column(
            "entry_policy",
            sa.Enum(
                "guests",
                "registered",
                name="entry_policy",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("doors_locked", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("continues", sa.String(length=48), nullable=True),
        sa.Column("active_count", sa.Integer(), nullable=False),
        sa.Column("draw_secret", sa.LargeBinary(), nullable=False),
        sa.Column("draw_anchor", sa.String(length=64), nullable=False),
        sa.Column("next_link", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(length=48), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=48), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(), nullable=False),
        sa.Column("ended_at", base.UtcDateTime(), nullable=True),
        sa.Column("deleted_at", base.UtcDateTime(), nullable=True),
        sa.CheckConstraint("active_count >= 0", name=op.f("ck_rooms_active_count")),
        sa.CheckConstraint(
            "capacity IS NULL OR active_count <= capacity", name=op.f("ck_rooms_capacity")
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["apps.app_id"], name=op.f("fk_rooms_app_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["continues"], ["rooms.id"], name=op.f("fk_rooms_continues"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_rooms_created_by"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("code", name=op.f("uq_rooms_code")),
    )
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.create_index(
            "ix_rooms_app_id_version", ["app_id", "app_manifest_version"], unique=False
        )
        batch_op.create_index(
            "ix_rooms_app_manifest_version", ["app_manifest_version"], unique=False
        )
        batch_op.create_index("ix_rooms_continues", ["continues"], unique=False)
        batch_op.create_index("ix_rooms_created_at", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_rooms_created_by", ["created_by", "created_at"], unique=False)
        batch_op.create_index("ix_rooms_deleted_at", ["deleted_at"], unique=False)
        batch_op.create_index("ix_rooms_is_public", ["is_public", "created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_rooms_public_listing", ["status", "is_public", "app_id", "created_at"], unique=False
        )
        batch_op.create_index("ix_rooms_status", ["status"], unique=False)

    op.create_table(
        "draws",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "REQUESTED",
                "COMMITTED",
                "DRAWN",
                "REVEALED",
                "VOIDED",
                name="draw_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("request", base.JsonDocument(), nullable=False),
        sa.Column("run", sa.Boolean(), nullable=False),
        sa.Column(
            "reveal",
            sa.Enum(
                "now",
                "manual",
                name="reveal_mode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("replaces", sa.String(length=48), nullable=True),
        sa.Column("link_index", sa.Integer(), nullable=True),
        sa.Column("rule", base.JsonDocument(), nullable=True),
        sa.Column("rule_digest", sa.String(length=64), nullable=True),
        sa.Column("rule_text", sa.Text(), nullable=False),
        sa.Column("entries", base.JsonDocument(), nullable=True),
        sa.Column("entries_digest", sa.String(length=64), nullable=True),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("ticket_count", sa.Integer(), nullable=False),
        sa.Column("public_inputs", base.JsonDocument(), nullable=True),
        sa.Column("picks", base.JsonDocument(), nullable=True),
        sa.Column("decided_by", sa.String(length=16), nullable=True),
        sa.Column("revealed_prizes", base.JsonDocument(), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=True),
        sa.Column("void_reason", sa.String(length=200), nullable=True),
        sa.Column("held_code", sa.String(length=64), nullable=True),
        sa.Column("held_message", sa.String(length=1000), nullable=True),
        sa.Column("platform_consent", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", base.UtcDateTime(), nullable=True),
        sa.Column("lease", sa.String(length=48), nullable=True),
        sa.Column("lease_until", base.UtcDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=48), nullable=True),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("committed_at", base.UtcDateTime(), nullable=True),
        sa.Column("drawn_at", base.UtcDateTime(), nullable=True),
        sa.Column("revealed_at", base.UtcDateTime(), nullable=True),
        sa.Column("voided_at", base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_draws_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draws")),
        sa.UniqueConstraint("room_id", "key", name=op.f("uq_draws_room_id_key")),
        sa.UniqueConstraint("room_id", "link_index", name=op.f("uq_draws_room_id_link_index")),
    )
    with op.batch_alter_table("draws", schema=None) as batch_op:
        batch_op.create_index("ix_draws_due_at", ["due_at"], unique=False)
        batch_op.create_index(
            "ix_draws_room_id_created_at", ["room_id", "created_at"], unique=False
        )

    op.create_table(
        "notifications",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("read_at", base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_notifications_room_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notifications_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index("ix_notifications_user_id", ["user_id", "created_at"], unique=False)

    op.create_table(
        "participants",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.String(length=48), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "ADMIN",
                "ORGANIZER",
                "MODERATOR",
                "PARTICIPANT",
                "VIEWER",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "pending",
                "rejected",
                "left",
                "removed",
                name="participant_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("metadata", base.JsonDocument(), nullable=False),
        sa.Column("own", base.JsonDocument(), nullable=False),
        sa.Column("private", base.JsonDocument(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("joined_at", base.UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", base.UtcDateTime(), nullable=True),
        sa.Column("updated_at", base.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_participants_room_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_participants_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
        sa.UniqueConstraint("room_id", "user_id", name=op.f("uq_participants_room_id_user_id")),
    )
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.create_index("ix_participants_deleted_at", ["deleted_at"], unique=False)
        batch_op.create_index("ix_participants_role", ["role"], unique=False)
        batch_op.create_index(
            "ix_participants_room_id_display_name", ["room_id", "display_name"], unique=False
        )
        batch_op.create_index("ix_participants_room_id_role", ["room_id", "role"], unique=False)
        batch_op.create_index(
            "ix_participants_room_id_status", ["room_id", "status", "role", "id"], unique=False
        )
        batch_op.create_index("ix_participants_user_id", ["user_id"], unique=False)

    op.create_table(
        "prizes",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("image_url", sa.String(length=2000), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("quantity_remaining", sa.Integer(), nullable=False),
        sa.Column("metadata", base.JsonDocument(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", base.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "quantity_remaining <= quantity", name=op.f("ck_prizes_remaining_within_quantity")
        ),
        sa.CheckConstraint(
            "quantity_remaining >= 0", name=op.f("ck_prizes_remaining_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_prizes_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prizes")),
    )
    with op.batch_alter_table("prizes", schema=None) as batch_op:
        batch_op.create_index("ix_prizes_deleted_at", ["deleted_at"], unique=False)
        batch_op.create_index("ix_prizes_room_id", ["room_id", "id"], unique=False)

    op.create_table(
        "room_events",
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("stream_no", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=160), nullable=False),
        sa.Column("payload", base.JsonDocument(), nullable=False),
        sa.Column("actor_id", sa.String(length=48), nullable=True),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("after_end", sa.Boolean(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_room_events_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", "seq", name=op.f("pk_room_events")),
        sa.UniqueConstraint(
            "room_id", "stream", "stream_no", name=op.f("uq_room_events_room_id_stream_stream_no")
        ),
    )
    op.create_table(
        "room_locks",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("lock", base.JsonDocument(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_room_locks_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_locks")),
    )
    with op.batch_alter_table("room_locks", schema=None) as batch_op:
        batch_op.create_index("ix_room_locks_room_id", ["room_id", "created_at"], unique=False)

    op.create_table(
        "room_states",
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("public", base.JsonDocument(), nullable=False),
        sa.Column("organizer", base.JsonDocument(), nullable=False),
        sa.Column("private", base.JsonDocument(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_room_states_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", name=op.f("pk_room_states")),
    )
    op.create_table(
        "room_streams",
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("last_no", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_room_streams_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", "stream", name=op.f("pk_room_streams")),
    )
    op.create_table(
        "timers",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column(
            "space",
            sa.Enum(
                "app",
                "change",
                name="timer_space",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=96), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("due_at", base.UtcDateTime(), nullable=False),
        sa.Column("payload", base.JsonDocument(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", base.UtcDateTime(), nullable=False),
        sa.Column("lease", sa.String(length=48), nullable=True),
        sa.Column("lease_until", base.UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_timers_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
        sa.UniqueConstraint("room_id", "space", "name", name=op.f("uq_timers_room_id_space_name")),
    )
    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.create_index("ix_timers_next_at", ["next_at"], unique=False)

    op.create_table(
        "scores",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("participant_id", sa.String(length=48), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participants.id"],
            name=op.f("fk_scores_participant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_scores_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scores")),
    )
    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.create_index("ix_scores_room_id", ["room_id", "participant_id"], unique=False)

    op.create_table(
        "winners",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column("participant_id", sa.String(length=48), nullable=False),
        sa.Column("prize_id", sa.String(length=48), nullable=False),
        sa.Column("draw_id", sa.String(length=48), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "awarded",
                "fulfilled",
                "revoked",
                name="winner_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("metadata", base.JsonDocument(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["draw_id"], ["draws.id"], name=op.f("fk_winners_draw_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participants.id"],
            name=op.f("fk_winners_participant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["prize_id"], ["prizes.id"], name=op.f("fk_winners_prize_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_winners_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_winners")),
    )
    with op.batch_alter_table("winners", schema=None) as batch_op:
        batch_op.create_index("ix_winners_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_winners_deleted_at", ["deleted_at"], unique=False)
        batch_op.create_index("ix_winners_draw_id", ["draw_id", "ordinal"], unique=False)
        batch_op.create_index("ix_winners_participant_id", ["participant_id"], unique=False)
        batch_op.create_index("ix_winners_room_id", ["room_id", "id"], unique=False)
        batch_op.create_index("ix_winners_room_id_prize_id", ["room_id", "prize_id"], unique=False)
        batch_op.create_index(
            "uq_winners_prize_id_participant_id",
            ["prize_id", "participant_id"],
            unique=True,
            sqlite_where=sa.text("status <> 'revoked' AND NOT sealed"),
            postgresql_where=sa.text("status <> 'revoked' AND NOT sealed"),
        )


def downgrade() -> None:
    with op.batch_alter_table("winners", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_winners_prize_id_participant_id",
            sqlite_where=sa.text("status <> 'revoked' AND NOT sealed"),
            postgresql_where=sa.text("status <> 'revoked' AND NOT sealed"),
        )
        batch_op.drop_index("ix_winners_room_id_prize_id")
        batch_op.drop_index("ix_winners_room_id")
        batch_op.drop_index("ix_winners_participant_id")
        batch_op.drop_index("ix_winners_draw_id")
        batch_op.drop_index("ix_winners_deleted_at")
        batch_op.drop_index("ix_winners_created_at")

    op.drop_table("winners")
    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.drop_index("ix_scores_room_id")

    op.drop_table("scores")
    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.drop_index("ix_timers_next_at")

    op.drop_table("timers")
    op.drop_table("room_streams")
    op.drop_table("room_states")
    with op.batch_alter_table("room_locks", schema=None) as batch_op:
        batch_op.drop_index("ix_room_locks_room_id")

    op.drop_table("room_locks")
    op.drop_table("room_events")
    with op.batch_alter_table("prizes", schema=None) as batch_op:
        batch_op.drop_index("ix_prizes_room_id")
        batch_op.drop_index("ix_prizes_deleted_at")

    op.drop_table("prizes")
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.drop_index("ix_participants_user_id")
        batch_op.drop_index("ix_participants_room_id_status")
        batch_op.drop_index("ix_participants_room_id_role")
        batch_op.drop_index("ix_participants_room_id_display_name")
        batch_op.drop_index("ix_participants_role")
        batch_op.drop_index("ix_participants_deleted_at")

    op.drop_table("participants")
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.drop_index("ix_notifications_user_id")

    op.drop_table("notifications")
    with op.batch_alter_table("draws", schema=None) as batch_op:
        batch_op.drop_index("ix_draws_room_id_created_at")
        batch_op.drop_index("ix_draws_due_at")

    op.drop_table("draws")
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.drop_index("ix_rooms_status")
        batch_op.drop_index("ix_rooms_public_listing")
        batch_op.drop_index("ix_rooms_is_public")
        batch_op.drop_index("ix_rooms_deleted_at")
        batch_op.drop_index("ix_rooms_created_by")
        batch_op.drop_index("ix_rooms_created_at")
        batch_op.drop_index("ix_rooms_continues")
        batch_op.drop_index("ix_rooms_app_manifest_version")
        batch_op.drop_index("ix_rooms_app_id_version")

    op.drop_table("rooms")
    op.drop_table("manifest_versions")
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.drop_index("ix_identities_user_id")

    op.drop_table("identities")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_users_email",
            sqlite_where=sa.text("kind = 'registered' AND deleted_at IS NULL"),
            postgresql_where=sa.text("kind = 'registered' AND deleted_at IS NULL"),
        )
        batch_op.drop_index("ix_users_deleted_at")

    op.drop_table("users")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_keys_expires_at")

    op.drop_table("idempotency_keys")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entries_room_id")
        batch_op.drop_index("ix_audit_entries_created_at")

    op.drop_table("audit_entries")
    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.drop_index("ix_apps_manifest_version")
        batch_op.drop_index("ix_apps_is_active")
        batch_op.drop_index("ix_apps_deleted_at")

    op.drop_table("apps")
