"""One mutex per room: hooks with effects run one after the other in a room, not across rooms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict


class RoomBusy(Conflict):
    """The room is busy with other requests; nothing was changed. Try again in a moment."""

    default_code = "ROOM_BUSY"


class RoomMutexes:
    """Mutexes by room, held in the order of the requests."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def hold(self, room_id: str, budget: Budget) -> AsyncIterator[None]:
        """Wait for the room's mutex and hold it; RoomBusy if the budget ends first."""
        lock = self._locks.setdefault(room_id, asyncio.Lock())
        self._users[room_id] = self._users.get(room_id, 0) + 1
        try:
            await _acquire(lock, budget)
            try:
                yield
            finally:
                lock.release()
        finally:
            self._leave(room_id)

    def _leave(self, room_id: str) -> None:
        self._users[room_id] -= 1
        if not self._users[room_id]:
            del self._users[room_id], self._locks[room_id]


async def _acquire(lock: asyncio.Lock, budget: Budget) -> None:
    try:
        async with asyncio.timeout(budget.left_ms() / 1000):
            await lock.acquire()
    except TimeoutError as error:
        raise RoomBusy from error
