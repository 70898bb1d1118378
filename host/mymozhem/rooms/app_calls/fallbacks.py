"""Tell organizers that something other than the app decided."""

from typing import TypeVar

from pydantic import BaseModel

from mymozhem.contract import DecidedBy, Hook
from mymozhem.contract.events import FallbackUsed
from mymozhem.dispatch.outcome import Outcome
from mymozhem.rooms.core.transaction import RoomTransaction

Req = TypeVar("Req", bound=BaseModel)
Res = TypeVar("Res", bound=BaseModel)


def record_fallback(
    transaction: RoomTransaction, hook: Hook[Req, Res], outcome: Outcome[Res]
) -> None:
    """Log who decided instead of the app, and why; nothing if the app was not called."""
    if outcome.failure is None:
        return
    failure = outcome.failure
    record_decision(
        transaction,
        hook,
        outcome.decided_by,
        failure.code,
        failure.message,
        call_id=outcome.call_id,
    )


def record_decision(
    transaction: RoomTransaction,
    hook: Hook[Req, Res],
    by: DecidedBy,
    code: str,
    message: str,
    *,
    call_id: str | None = None,
) -> None:
    """Log who decided instead of the app, and why; `call_id` is that of the failed call."""
    event = FallbackUsed(
        hook=hook.name,
        decided_by=by,
        code=code,
        message=message,
        at=transaction.now,
        call_id=call_id,
    )
    transaction.record(event)
