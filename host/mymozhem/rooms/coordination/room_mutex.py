"""One mutex per room: hooks with effects run one after the other in a room, not across rooms."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from mymozhem.concurrency.keyed_locks import KeyedLocks
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict


class RoomBusy(Conflict):
    """The room is busy with other requests; nothing was changed. Try again in a moment."""

    default_code = "ROOM_BUSY"


class RoomMutexes:
    """Mutexes by room, held in the order of the requests."""

    def __init__(self) -> None:
        self._locks: KeyedLocks[str] = KeyedLocks()

    @asynccontextmanager
    async def hold(self, room_id: str, budget: Budget) -> AsyncIterator[None]:
        """Wait for the room's mutex and hold it; RoomBusy if the budget ends first."""
        async with AsyncExitStack() as held:
            try:
                await held.enter_async_context(
                    self._locks.hold(room_id, seconds=budget.left_ms() / 1000)
                )
            except TimeoutError as error:
                raise RoomBusy from error
            yield
