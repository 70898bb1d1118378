"""Display names: unique within a room."""

from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache

from sqlalchemy import ColumnElement, or_, select

from mymozhem.auth.name_rules import shortened
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.participants import ParticipantRow

#: digits of the largest number behind a name: no room has more people
_DIGITS = 7


class FreeNames:
    """Assigns names one after the other, each of them once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._used: dict[str, int] = {}

    def take(self, name: str, *, instead_of: str = "") -> str:
        """Return the name, numbered if it is taken; the person's old name becomes free."""
        if instead_of:
            self._taken.discard(instead_of)
            self._used.clear()
        chosen = name
        if name in self._taken:
            # Names of many people repeat; a number that was given away is not looked for again.
            chosen = numbered(name, self._taken, beyond=self._used.get(_stem(name), 1))
            self._used[_stem(name)] = int(chosen.rpartition(" ")[2])
        self._taken.add(chosen)
        return chosen


async def free_name(
    transaction: RoomTransaction, name: str, *, but: ParticipantRow | None = None
) -> str:
    """Return the name, with the lowest free number appended if it is taken.

    `but` is the person who gets the name; their own current name does not count as taken.
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


async def names_in_the_way(transaction: RoomTransaction, names: Collection[str]) -> FreeNames:
    """Return a `FreeNames` for these names, each as often as it is listed.

    Only these names are read, not those of the whole room; numbered names are read only if a name
    is taken or wanted twice.
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
    """Return the name, or the name with the lowest free number above `beyond`.

    A name that would be too long with its number is cut.
    """
    if name not in taken:
        return name
    number = beyond + 1
    while (chosen := _with_number(name, number)) in taken:
        number += 1
    return chosen


def _with_number(name: str, number: int) -> str:
    return f"{_cut(name, len(str(number)))} {number}"


def _stem(name: str) -> str:
    """Return what all numbered forms of a name begin with: the name, unless it has to be cut."""
    return _cut(name, _DIGITS)


@lru_cache(maxsize=1_024)
def _cut(name: str, digits: int) -> str:
    return shortened(name, suffix=f" {'9' * digits}")


def _begins(name: str) -> ColumnElement[bool]:
    stem = _stem(name)
    before = f"{name} " if stem == name else stem
    return ParticipantRow.display_name.startswith(before, autoescape=True)
