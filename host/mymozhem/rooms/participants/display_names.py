"""Names in a room: two people never carry the same."""

from collections import Counter
from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, or_, select

from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.participants import ParticipantRow


class FreeNames:
    """Gives names out one after the other; what one gets the next ones do not."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._used: dict[str, int] = {}

    def take(self, name: str, *, instead_of: str = "") -> str:
        """Return the name, or with the lowest free number; somebody's old one becomes free."""
        if instead_of:
            self._taken.discard(instead_of)
            self._used.clear()
        chosen = name
        if name in self._taken:
            # Names of many people repeat; a number that was given away is not looked for again.
            chosen = numbered(name, self._taken, beyond=self._used.get(name, 1))
            self._used[name] = int(chosen[len(name) + 1 :])
        self._taken.add(chosen)
        return chosen


async def free_name(
    transaction: RoomTransaction, name: str, *, but: ParticipantRow | None = None
) -> str:
    """Return the name, with the lowest free number behind it where somebody carries it already.

    `but` is the person who is to carry it; their own name does not stand in the way.
    """
    with transaction.session.no_autoflush:
        found = await transaction.session.scalars(
            select(ParticipantRow.display_name).where(
                ParticipantRow.room_id == transaction.room.id,
                ParticipantRow.id != (but.id if but is not None and but.id else ""),
                or_(ParticipantRow.display_name == name, _begins(name)),
            )
        )
        return numbered(name, set(found))


async def free_names(transaction: RoomTransaction, names: Iterable[str]) -> list[str]:
    """Return a free name for each of many people, in order; one query, however many they are."""
    found = await transaction.session.scalars(
        select(ParticipantRow.display_name).where(ParticipantRow.room_id == transaction.room.id)
    )
    free = FreeNames(found)
    return [free.take(name) for name in names]


async def names_in_the_way(transaction: RoomTransaction, names: Collection[str]) -> FreeNames:
    """Return what gives these names out, as often as they are listed.

    A large room is not read for a few people: only their names are looked up, and numbered ones
    only where a name is carried already, or wanted twice.
    """
    mine = ParticipantRow.room_id == transaction.room.id
    with transaction.session.no_autoflush:
        found = await transaction.session.scalars(
            select(ParticipantRow.display_name).where(
                mine, ParticipantRow.display_name.in_(sorted(set(names)))
            )
        )
        carried = set(found)
        crowded = carried | {name for name, times in Counter(names).items() if times > 1}
        if crowded:
            begun = or_(*map(_begins, sorted(crowded)))
            carried |= set(
                await transaction.session.scalars(
                    select(ParticipantRow.display_name).where(mine, begun)
                )
            )
    return FreeNames(carried)


def numbered(name: str, taken: Collection[str], *, beyond: int = 1) -> str:
    """Return the name, or the name with the lowest number above `beyond` that nobody carries."""
    if name not in taken:
        return name
    number = beyond + 1
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"


def _begins(name: str) -> ColumnElement[bool]:
    return ParticipantRow.display_name.startswith(f"{name} ", autoescape=True)
