"""What organizers are told when something other than the app decided."""

from typing import TypeVar

from pydantic import BaseModel

from mymozhem.contract import Hook
from mymozhem.contract.events import FallbackUsed
from mymozhem.dispatch.outcome import Outcome

from .writer import RoomWriter

Req = TypeVar("Req", bound=BaseModel)
Res = TypeVar("Res", bound=BaseModel)


def record_fallback(writer: RoomWriter, hook: Hook[Req, Res], outcome: Outcome[Res]) -> None:
    """Append who decided instead of the app, and why; nothing where the app was not asked."""
    if outcome.failure is None:
        return
    writer.record(
        FallbackUsed(
            hook=hook.name,
            decided_by=outcome.decided_by,
            code=outcome.failure.code,
            message=outcome.failure.message,
            at=writer.now,
        )
    )
