"""The job of an import: add people whom a request has left behind."""

from mymozhem.errors import NotFound
from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.membership import room_not_found
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.participants.add_people import add_part


async def step(services: Services, lease: Lease) -> None:
    """Add the people of a leased part; safe to repeat after a crash."""
    try:
        await add_part(services, lease.room_id, lease.row_id)
    except NotFound as gone:
        if gone.code != room_not_found().code:
            raise
