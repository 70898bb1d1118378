"""The job of a draw: whatever step is next."""

from mymozhem.contract import DrawStatus
from mymozhem.errors import NotFound, Unavailable
from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.draws.commit import Held, commit, hold
from mymozhem.rooms.draws.select import select_winners
from mymozhem.rooms.tables.draws import DrawRow

from .steps import is_unknown_here


async def step(services: Services, lease: Lease) -> None:
    """Take the next step of a leased draw; safe to repeat after a crash at any point.

    Each step ends in one transaction, which is fenced by the lease.
    """
    async with services.database.read() as session:
        draw = await session.get(DrawRow, lease.row_id)
        status = draw.status if draw is not None else None
    if status is DrawStatus.REQUESTED:
        await _commit_or_hold(services, lease)
    elif status is not None:
        await select_winners(services, lease)


async def _commit_or_hold(services: Services, lease: Lease) -> None:
    try:
        await commit(services, lease)
    except Unavailable:
        raise
    except NotFound as unknown:
        if not is_unknown_here(unknown):
            await _hold(services, lease)
        raise
    except Exception:  # our own mistake: its organizer sees it, and the draws behind it go on
        await _hold(services, lease)
        raise


async def _hold(services: Services, lease: Lease) -> None:
    message = "The platform could not prepare this draw; its operators find why in the log."
    await hold(services, lease, Held("HOST_FAILED", message))
