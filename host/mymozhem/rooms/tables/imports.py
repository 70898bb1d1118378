"""People of an import who wait to be added."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mymozhem.db.base import ID_LENGTH, Base, JsonDocument, UtcDateTime, id_column


class PeopleImportRow(Base):
    """A part of an import that was accepted as a whole; its people and its deletion are one write.

    `people` has an id, a name and metadata for each. The request that brought the people adds them.
    If its process dies, the job does so once the lease has ended.
    """

    __tablename__ = "people_imports"

    id: Mapped[str] = id_column("import")
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    people: Mapped[list[list[Any]]] = mapped_column(JsonDocument)
    actor_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_people_imports_due_at", "due_at"),  # the job: what was left behind
        Index("ix_people_imports_room_id", "room_id"),  # whether people of a room still wait
    )
