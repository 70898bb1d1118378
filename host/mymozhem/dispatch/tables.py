"""Tables that processes share about calls: openings of breakers, and stored lists."""

from datetime import datetime

from sqlalchemy import Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import ID_LENGTH, Base, UtcDateTime
from mymozhem.registry.tables import APP_ID_LENGTH, VERSION_LENGTH

CODE_LENGTH = 64
CAPABILITY_LENGTH = 64


class BreakerOpeningRow(Base):
    """A breaker that is not closed; closing it deletes the row.

    `probe` is the process that tries the app now; no other process may before `probe_until`.
    """

    __tablename__ = "breaker_openings"

    app_id: Mapped[str] = mapped_column(String(APP_ID_LENGTH), primary_key=True)
    version: Mapped[str] = mapped_column(String(VERSION_LENGTH), primary_key=True)
    capability: Mapped[str] = mapped_column(String(CAPABILITY_LENGTH), primary_key=True)
    opening: Mapped[str] = mapped_column(String(ID_LENGTH))
    failures: Mapped[int] = mapped_column(Integer)
    successes: Mapped[int] = mapped_column(Integer)
    code: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    open_until: Mapped[datetime] = mapped_column(UtcDateTime)
    probe: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    probe_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ListRow(Base):
    """A list too long for the body of a call, kept until the app has had time to fetch it.

    `id` names the app and the content of the list, for the host alone; `data` is its JSON,
    deflated.
    """

    __tablename__ = "webhook_lists"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_webhook_lists_expires_at", "expires_at"),  # cleaning up
    )
