"""What arrives at one room together is committed together, and not one by one."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from .coalescing import SharedReads

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: what one commit takes along at most
AT_ONCE = 500

Commit = Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]]


class Lines(Generic[K, V]):
    """A line for each room, in the order of arrival; one in which nobody stands is forgotten."""

    def __init__(self) -> None:
        self._lines: dict[str, SharedReads[K, V]] = {}
        self._flying: dict[str, set[asyncio.Future[V]]] = {}

    async def stand(self, room_id: str, arrival: K, *, commit: Commit[K, V]) -> V:
        """Stand in line, and return what came of it once that is durable.

        `commit` works for all that wait, in a task that belongs to none of them: what was sent is
        committed even where its sender goes away meanwhile.
        """
        line = self._lines.setdefault(room_id, SharedReads(commit, most=AT_ONCE))
        answer = line.put(arrival)
        flying = self._flying.setdefault(room_id, set())
        flying.add(answer)
        answer.add_done_callback(lambda done: self._landed(room_id, done))
        return await asyncio.shield(answer)

    async def flush(self, room_id: str, *, within: float) -> None:
        """Wait for what stands in the line now, for so many seconds at most."""
        flying = self._flying.get(room_id)
        if flying:
            await asyncio.wait(tuple(flying), timeout=within)

    def _landed(self, room_id: str, answer: "asyncio.Future[V]") -> None:
        with suppress(asyncio.CancelledError):
            answer.exception()  # seen: whoever sent it may be gone
        flying = self._flying[room_id]
        flying.discard(answer)
        if not flying:
            del self._flying[room_id], self._lines[room_id]
