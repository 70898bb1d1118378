"""Apps and the append-only history of their manifests."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.contract import JsonObject
from mymozhem.db.base import Base, JsonDocument, UtcDateTime, enum_column, id_column

APP_ID_LENGTH = 64
VERSION_LENGTH = 128


class AppKind(StrEnum):
    """How an app is reached."""

    PLUGIN = "plugin"  #: a package installed beside the host
    REMOTE = "remote"  #: a web service


class AppRow(Base):
    """An app that rooms may be locked to; its id is never reused, so the row stays when it goes."""

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

    __table_args__ = (
        Index("ix_apps_is_active", "is_active"),  # at start: the plugins to load
        Index("ix_apps_deleted_at", "deleted_at"),  # the listing: apps that are not deleted
        Index("ix_apps_manifest_version", "manifest_version"),  # operators: who is at a version
    )


class ManifestVersionRow(Base):
    """A published manifest; the document never changes, only the deprecation is added later."""

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
        # publishing the same version again; also the history of one app
        UniqueConstraint("app_id", "version"),
    )
