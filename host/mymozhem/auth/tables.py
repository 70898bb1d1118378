"""The tables of people, of their ways to sign in, and of their sessions."""

from datetime import datetime
from enum import StrEnum

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
    deactivated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deactivated_reason: Mapped[str | None] = mapped_column(String(200))

    @property
    def is_active(self) -> bool:
        """Whether the person may sign in: neither deleted nor deactivated."""
        return self.deleted_at is None and self.deactivated_at is None

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


class SessionRow(Base):
    """A sign-in on one device, with the digest of the refresh token that is valid now.

    The tokens of a session form one sequence; `generation` is the number of the current one, from
    1. An older one that is used again ends the session, so the row stands for the whole family of
    its tokens, and its id is their `sid`.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = id_column("ses")
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE")
    )
    refresh_token_hash: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int] = mapped_column(default=1)
    device_info: Mapped[str | None] = mapped_column(String(200))
    ip_address: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        # sessions.refresh finds the session of a token.
        UniqueConstraint("refresh_token_hash"),
        # sessions.list_sessions lists, and sessions.end_all ends, the sessions of a person.
        Index("ix_sessions_user_id", "user_id"),
        # The cleaner selects sessions that have expired, and those that were long unused.
        Index("ix_sessions_expires_at", "expires_at"),
        Index("ix_sessions_last_used_at", "last_used_at"),
    )


class LinkKind(StrEnum):
    """What a one-time link is for."""

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105  a kind, not a secret


class OneTimeLinkRow(Base):
    """A one-time link: the digest of its secret, whom it is for, and whether it was used.

    `email` is the only address that may use an invitation; `proves_email` says that the link was
    sent to nobody but that address. `user_id` is the account that a link to a new password is for,
    or that an invitation became.
    """

    __tablename__ = "one_time_links"

    id: Mapped[str] = id_column("link")
    kind: Mapped[LinkKind] = enum_column(LinkKind)
    token_hash: Mapped[str] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(String(254))
    user_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE")
    )
    is_admin: Mapped[bool] = mapped_column(default=False)
    proves_email: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        # links.use_link finds the link of a token.
        UniqueConstraint("token_hash"),
        # links.count_recent counts those of one address.
        Index("ix_one_time_links_email", "email", "created_at"),
        # users.delete_user deletes those of a person.
        Index("ix_one_time_links_user_id", "user_id"),
        # The cleaner selects links that ended long ago.
        Index("ix_one_time_links_expires_at", "expires_at"),
        # The list of invitations, newest first.
        Index("ix_one_time_links_kind", "kind", "created_at"),
    )


class RevocationKind(StrEnum):
    """What a row of the blacklist revokes."""

    TOKEN = "token"  # noqa: S105  a kind, not a secret
    SESSION = "session"
    PERSON = "person"


class RevocationReason(StrEnum):
    """Why something was revoked."""

    LOGOUT = "logout"
    SECURITY_BREACH = "security_breach"  #: an old refresh token was used again
    MANUAL_REVOKE = "manual_revoke"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  a reason, not a secret
    DEACTIVATED = "deactivated"
    DELETED = "deleted"


class TokenBlacklistRow(Base):
    """A revoked token, session or person; kept until the last token that it concerns expires.

    `key_hash` is the SHA-256 of the token's `jti`, its `sid` or its `sub`. For a person,
    `not_before` is the time until which issued tokens are revoked.
    """

    __tablename__ = "token_blacklist"

    id: Mapped[str] = id_column("rev")
    kind: Mapped[RevocationKind] = enum_column(RevocationKind)
    key_hash: Mapped[str] = mapped_column(String(64))
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    reason: Mapped[RevocationReason] = enum_column(RevocationReason)
    revoked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(String(ID_LENGTH))

    __table_args__ = (
        # An operator looks up what became of a token.
        Index("ix_token_blacklist_key_hash", "key_hash"),
        # The cleaner deletes what has expired; a starting process reads what has not.
        Index("ix_token_blacklist_expires_at", "expires_at"),
        # revocations.refresh reads what was revoked within the last minute.
        Index("ix_token_blacklist_revoked_at", "revoked_at"),
        # The history of one person.
        Index("ix_token_blacklist_user_id", "user_id"),
    )
