"""Apps and the append-only history of their manifests."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract import JsonObject
from mymozhem.db.base import (
    ID_LENGTH,
    Base,
    JsonDocument,
    UtcDateTime,
    enum_column,
    id_column,
)

APP_ID_LENGTH = 64
VERSION_LENGTH = 128
KEY_ID_LENGTH = 64
REASON_LENGTH = 1_000


class AppKind(StrEnum):
    """How an app is reached."""

    PLUGIN = "plugin"  #: a package that is installed with the host
    REMOTE = "remote"  #: a web service


class SecretKind(StrEnum):
    """The kind of a key of a remote app."""

    SHARED = "shared"  #: known to both sides; signs with HMAC-SHA256 and obtains app tokens
    ED25519 = "ed25519"  #: the host's private key; the app has its public half


class StopCause(StrEnum):
    """Who stopped an app."""

    OPERATOR = "operator"  #: an operator used the kill switch
    GONE = "gone"  #: the app itself replied that it is gone, with 410


class AppRow(Base):
    """An app that rooms may be locked to; ids are never reused, so the row of a deleted app stays.

    `revision` grows with every change that processes cache; the sum over all apps shows whether
    there was any. The last three columns are set together while the app is stopped.
    """

    __tablename__ = "apps"

    id: Mapped[str] = id_column("app")
    app_id: Mapped[str] = mapped_column(String(APP_ID_LENGTH), unique=True)
    kind: Mapped[AppKind] = enum_column(AppKind)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    manifest_version: Mapped[str | None] = mapped_column(String(VERSION_LENGTH))
    target: Mapped[JsonObject | None] = mapped_column(JsonDocument)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revision: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    owner_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="SET NULL")
    )
    owner_email: Mapped[str | None] = mapped_column(String(254))
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stop_cause: Mapped[StopCause | None] = enum_column(StopCause, nullable=True)
    stop_reason: Mapped[str | None] = mapped_column(String(REASON_LENGTH))

    __table_args__ = (
        Index("ix_apps_owner_id", "owner_id"),  # when an account is erased: its apps
        Index("ix_apps_is_active", "is_active"),  # at start: the plugins to load
        Index("ix_apps_deleted_at", "deleted_at"),  # the list: apps that are not deleted
        Index("ix_apps_manifest_version", "manifest_version"),  # for operators
    )


class ManifestVersionRow(Base):
    """A published manifest; the document never changes, but the version may be deprecated later."""

    __tablename__ = "manifest_versions"

    id: Mapped[str] = id_column("mver")
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.app_id", ondelete="RESTRICT"))
    version: Mapped[str] = mapped_column(String(VERSION_LENGTH))
    manifest: Mapped[JsonObject] = mapped_column(JsonDocument)
    digest: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deprecated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    deadline: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        # to publish the same version again, and for the history of one app
        UniqueConstraint("app_id", "version"),
    )


class AppSecretRow(Base):
    """A key of a remote app, sealed; `kid` names it. Expired keys stay, for the record.

    The newest key of a kind does not expire unless it is revoked; after a rotation, the one before
    it is valid until `expires_at`.
    """

    __tablename__ = "app_secrets"

    id: Mapped[str] = id_column("asec")
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.app_id", ondelete="RESTRICT"))
    kid: Mapped[str] = mapped_column(String(KEY_ID_LENGTH))
    kind: Mapped[SecretKind] = enum_column(SecretKind)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        # the keys of one app: for tokens and for rotation
        UniqueConstraint("app_id", "kid"),
    )
