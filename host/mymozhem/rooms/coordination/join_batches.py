"""Who comes to one door at the same time is looked at and let in together, and not one by one."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from mymozhem.concurrency.coalescing import SharedReads

from .join_requests import Seen

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: people who are let in at once; while they are, nobody else writes to their room
AT_ONCE = 100

Turn = Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]]


class Doors(Generic[K, V]):
    """Doors by name; one that nobody stands at is forgotten."""

    def __init__(self) -> None:
        self._doors: dict[str, SharedReads[K, V]] = {}

    async def ask(self, name: str, key: K, *, answer: Turn[K, V]) -> V:
        """Wait for the door's next turn, and return what came of one's own part in it.

        `answer` works for all that wait, in a task that belongs to none of them: whoever goes away
        meanwhile is served all the same.
        """
        door = self._doors.get(name)
        if door is None:
            forget = partial(self._doors.pop, name)
            door = self._doors[name] = SharedReads(answer, most=AT_ONCE, idle=forget)
        return await door.ask(key)


class Arrivals(Generic[K, V]):
    """The doors of rooms: by code for those who look, by room for those who are to be let in.

    Who looks is a person's id, None for everybody without a token.
    """

    def __init__(self) -> None:
        self.looks: Doors[str | None, Seen] = Doors()
        self.entries: Doors[K, V] = Doors()
