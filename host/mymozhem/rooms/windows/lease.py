"""The lease of a job on a window: check it before writing, or reschedule the job."""

from datetime import timedelta

from sqlalchemy import select

from mymozhem.contract import DecidedBy, WindowStatus
from mymozhem.contract.hooks import CLOSE_WINDOW
from mymozhem.rooms.app_calls import backoff
from mymozhem.rooms.app_calls.fallbacks import record_decision
from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import WindowRow


class LeaseLost(Exception):
    """The window was changed by somebody else."""


async def require_lease(
    transaction: RoomTransaction, lease: Lease, *, status: WindowStatus | None = None
) -> WindowRow:
    """Return the window if the lease is valid and the window has that status, else raise LeaseLost.

    The lease alone is not enough: it may have been acquired while somebody else changed the window
    without seeing a lease.
    """
    window = await transaction.session.scalar(
        select(WindowRow)
        .where(WindowRow.id == lease.row_id, WindowRow.lease == lease.token)
        .execution_options(populate_existing=True)
    )
    if window is None or status not in (None, window.status):
        raise LeaseLost
    return window


def record_first_failure(
    transaction: RoomTransaction, window: WindowRow, code: str, message: str
) -> None:
    """Notify organizers once, at the first failure."""
    if not window.attempts:
        record_decision(transaction, CLOSE_WINDOW, DecidedBy.QUEUE, code, message)


def reschedule(
    transaction: RoomTransaction,
    window: WindowRow,
    code: str,
    message: str,
    *,
    parked: bool = False,
) -> None:
    """Retry the job later."""
    window.attempts += 1
    wait = backoff.seconds(window.attempts, parked=parked)
    window.due_at = transaction.now + timedelta(seconds=wait)
    window.last_error = f"{code}: {message}"[:1000]
    window.lease = window.lease_until = None
