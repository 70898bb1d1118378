"""Rooms that an upgrade of the database would interrupt: those that run or soon will.

Read with plain SQL that is valid for every schema since the first one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, column, text

from mymozhem.clock import iso
from mymozhem.db.base import UtcDateTime
from mymozhem.db.engine import create_engine

SOON = timedelta(hours=24)

_RUNNING = "SELECT id, name FROM rooms WHERE status = 'ACTIVE' AND deleted_at IS NULL"

_DUE = """
SELECT rooms.id AS id, rooms.name AS name, MIN({table}.due_at) AS due_at
FROM {table} JOIN rooms ON rooms.id = {table}.room_id
WHERE {table}.due_at <= :until AND rooms.deleted_at IS NULL
AND rooms.status IN ('DRAFT', 'ACTIVE')
GROUP BY rooms.id, rooms.name
"""


@dataclass(frozen=True)
class Busy:
    """A room that an upgrade would interrupt; `due_at` is its next timer or draw, if known."""

    room_id: str
    name: str
    running: bool
    due_at: datetime | None = None

    def sentence(self) -> str:
        """Return the reason as text."""
        state = "is running" if self.running else "is not running yet"
        due = "" if self.due_at is None else f"; something is due at {iso(self.due_at)}"
        return f"{self.room_id}  {self.name}: {state}{due}"


async def busy_rooms(url: str, now: datetime) -> list[Busy]:
    """Return the rooms that are ACTIVE, or in which a timer or a draw is due within 24 hours.

    Rooms with something due come first, the earliest first.
    """
    engine = create_engine(url, readonly=True)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_busy, now + SOON)
    finally:
        await engine.dispose()


def _busy(connection: Connection, until: datetime) -> list[Busy]:
    if not connection.dialect.has_table(connection, "rooms"):
        return []
    running = {row.id: row.name for row in connection.execute(text(_RUNNING))}
    names = dict(running)
    due: dict[str, datetime] = {}
    for table in ("timers", "draws"):
        if not connection.dialect.has_table(connection, table):
            continue
        query = text(_DUE.format(table=table)).bindparams(bindparam("until", type_=UtcDateTime()))
        found = query.columns(column("id"), column("name"), column("due_at", UtcDateTime()))
        for row in connection.execute(found, {"until": until}):
            names[row.id] = row.name
            due[row.id] = min(row.due_at, due.get(row.id, row.due_at))
    rooms = [Busy(room, name, room in running, due.get(room)) for room, name in names.items()]
    return sorted(rooms, key=lambda room: (room.due_at or until, room.room_id))
