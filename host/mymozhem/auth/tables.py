"""The tables of people and of their ways to sign in."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract import PersonKind
from mymozhem.db.base import ID_LENGTH, Base, UtcDateTime, enum_column, id_column

_LIVE_ACCOUNTS = text("kind = 'registered' AND deleted_at IS NULL")


class UserRow(Base):
    """A person with an account, or a guest of one room; if deleted, a row without a name."""

    __tablename__ = "users"

    id: Mapped[str] = id_column("usr")
    email: Mapped[str | None] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    avatar_url: Mapped[str | None] = mapped_column(String(2048))
    kind: Mapped[PersonKind] = enum_column(PersonKind)
    is_admin: Mapped[bool] = mapped_column(default=False)
    email_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        # accounts.login finds a person by e-mail; it is unique among accounts that are not deleted.
        Index(
            "uq_users_email",
            "email",
            unique=True,
            sqlite_where=_LIVE_ACCOUNTS,
            postgresql_where=_LIVE_ACCOUNTS,
        ),
        # The cleaner selects people by the time of their deletion.
        Index("ix_users_deleted_at", "deleted_at"),
    )


class IdentityRow(Base):
    """One way in which a person signs in; never matched by e-mail.

    For the provider `local` the subject is the person's own id, and `secret_hash` the Argon2id hash
    of the password.
    """

    __tablename__ = "identities"

    id: Mapped[str] = id_column("idn")
    provider: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE")
    )
    secret_hash: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        # A sign-in finds its person by provider and subject; one person for each pair.
        UniqueConstraint("provider", "subject"),
        # users.delete_user deletes, and users.export_user lists, all identities of a person.
        Index("ix_identities_user_id", "user_id"),
    )
