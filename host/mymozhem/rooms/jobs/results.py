"""The job of results: write those of a window that a process has left behind."""

from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.windows.results import write_left


async def step(services: Services, lease: Lease) -> None:
    """Write what is left of the results of a leased part's window; safe to repeat after a crash."""
    await write_left(services, lease.room_id, lease.row_id)
