"""Verifies the locks of rooms for the command line, one room after the other."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, dataclass

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.locks.serving import RUNNING
from mymozhem.rooms.locks.verify import Check, verify_lock
from mymozhem.rooms.tables.rooms import RoomRow

from .catalog_preview import keys_of, preview
from .database import opened_database
from .room_reports import Document, card, find_room

#: ids of rooms per query
PAGE = 500


@dataclass(frozen=True)
class VerifiedRoom:
    """A room, and the results of all checks of its lock."""

    room: Document
    lines: list[Check]

    @property
    def holds(self) -> bool:
        """Return whether all checks pass."""
        return all(line.holds for line in self.lines)

    def document(self) -> Document:
        """Return the room and the results as JSON."""
        lines = [asdict(line) for line in self.lines]
        return {"room": self.room, "holds": self.holds, "lines": lines}


async def verified_rooms(
    settings: Settings, room: str | None
) -> AsyncGenerator[VerifiedRoom, None]:
    """Verify one room, by its id or code, or every one in DRAFT or ACTIVE for None.

    Raises `ClickException` if there is no such room.
    """
    async with opened_database(settings, exclusive=False) as database:
        keys = keys_of(settings)
        catalog = await preview(database, settings, keys)
        async with aclosing(_ids(database, room)) as ids:
            async for room_id in ids:
                async with database.read() as session:
                    row = await session.get_one(RoomRow, room_id)
                    proved = VerifiedRoom(card(row), await verify_lock(session, catalog, keys, row))
                yield proved


async def _ids(database: Database, room: str | None) -> AsyncGenerator[str, None]:
    if room is not None:
        async with database.read() as session:
            found = await find_room(session, room)
        if found is None:
            raise click.ClickException(f"There is no room {room!r}; see `mymozhem rooms list`.")
        yield found.id
        return
    after = ""
    while True:
        async with database.read() as session:
            page = await _page(session, after)
        for room_id in page:
            yield room_id
        if len(page) < PAGE:
            return
        after = page[-1]


async def _page(session: AsyncSession, after: str) -> list[str]:
    found = await session.scalars(
        select(RoomRow.id)
        .where(RoomRow.status.in_(RUNNING), RoomRow.deleted_at.is_(None), RoomRow.id > after)
        .order_by(RoomRow.id)
        .limit(PAGE)
    )
    return list(found)
