"""Names in a room: two people never carry the same."""

from collections.abc import Collection, Iterable

from sqlalchemy import or_, select

from .tables import ParticipantRow
from .writer import RoomWriter


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
        return numbered(name, set(found))


async def free_names(writer: RoomWriter, names: Iterable[str]) -> list[str]:
    """Return a free name for each of many people, in order; one query, however many they are."""
    found = await writer.session.scalars(
        select(ParticipantRow.display_name).where(ParticipantRow.room_id == writer.room.id)
    )
    taken, free, used = set(found), [], dict[str, int]()
    for name in names:
        # Names of many people repeat; a number that was given away is not looked for again.
        used[name] = used.get(name, 1)
        chosen = name if name not in taken else numbered(name, taken, beyond=used[name])
        used[name] = max(used[name], _number(name, chosen) or 1)
        taken.add(chosen)
        free.append(chosen)
    return free


def numbered(name: str, taken: Collection[str], *, beyond: int = 1) -> str:
    """Return the name, or the name with the lowest number above `beyond` that nobody carries."""
    if name not in taken:
        return name
    number = beyond + 1
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"


def _number(name: str, chosen: str) -> int | None:
    return int(chosen[len(name) + 1 :]) if chosen != name else None
