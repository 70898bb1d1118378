"""The job of notices: send those that a process has left behind."""

from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.notifications.deprecation import send_part


async def step(services: Services, lease: Lease) -> None:
    """Send the notices of a leased part; safe to repeat after a crash."""
    await send_part(services.database, lease.row_id)
