"""Who comes to one door at the same time is let in by one transaction, and not by one each."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from .shared_reads import SharedReads

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: people let in at once; while they are, nobody else writes to their room
AT_ONCE = 25


class Arrivals(Generic[K, V]):
    """Doors by room; one that nobody stands at is forgotten."""

    def __init__(self) -> None:
        self._doors: dict[str, SharedReads[K, V]] = {}

    async def come(
        self,
        room_id: str,
        arrival: K,
        *,
        let_in: Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]],
    ) -> V:
        """Wait for the door's next turn, and return what came of one's arrival.

        `let_in` works for all that wait, in a task that belongs to none of them: whoever goes away
        meanwhile is let in all the same.
        """
        door = self._doors.setdefault(room_id, SharedReads(let_in, most=AT_ONCE))
        try:
            return await door.ask(arrival)
        finally:
            if door.idle and self._doors.get(room_id) is door:
                del self._doors[room_id]
