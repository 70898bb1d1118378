"""Names in a room: two people never carry the same."""

import re

from sqlalchemy import or_, select

from .tables import ParticipantRow
from .writer import RoomWriter

_SUFFIXED = re.compile(r"^(.*) (\d{1,6})$")


async def free_name(writer: RoomWriter, name: str, *, but: ParticipantRow | None = None) -> str:
    """Return the name, with the lowest free number behind it where somebody carries it already.

    `but` is the person who is to carry it; their own name does not stand in the way.
    """
    with writer.session.no_autoflush:
        found = await writer.session.scalars(
            select(ParticipantRow.display_name).where(
                ParticipantRow.room_id == writer.room.id,
                ParticipantRow.id != (but.id if but is not None and but.id else ""),
                or_(
                    ParticipantRow.display_name == name,
                    ParticipantRow.display_name.startswith(f"{name} ", autoescape=True),
                ),
            )
        )
        taken = set(found)
    if name not in taken:
        return name
    numbers = {int(match[2]) for other in taken if (match := _SUFFIXED.match(other))}
    return f"{name} {next(n for n in range(2, len(taken) + 3) if n not in numbers)}"
