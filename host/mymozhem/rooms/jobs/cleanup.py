"""Delete expired rows: idempotency keys, fetched lists, sessions, revocations, links."""

from mymozhem.auth import revocations, sessions
from mymozhem.concurrency.periodic_task import PeriodicTask
from mymozhem.dispatch import stored_lists
from mymozhem.idempotency import keys
from mymozhem.rooms.core.services import Services
from mymozhem.users.links import delete_ended_links

#: seconds between two rounds of one process
EVERY = 900.0


class Cleaner:
    """Deletes expired rows in the background; several processes may do so concurrently."""

    def __init__(self, services: Services, *, every: float = EVERY) -> None:
        self._services = services
        self._task = PeriodicTask("cleaner", self._step, every=every, wait_first=True)

    def start(self) -> None:
        """Start in the running event loop; idempotent."""
        self._task.start()

    async def stop(self) -> None:
        """Stop; idempotent."""
        await self._task.stop()

    async def delete_expired(self) -> int:
        """Delete expired rows; return their number."""
        database = self._services.database
        swept = await keys.clean(database) + await stored_lists.delete_expired(database)
        swept += await sessions.delete_ended(database)
        swept += await revocations.delete_expired(database)
        return swept + await delete_ended_links(database)

    async def _step(self) -> None:
        await self.delete_expired()
