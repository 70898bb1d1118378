"""A delivery to an app, and the possible results of an attempt."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from mymozhem.contract import JsonObject


@dataclass(frozen=True)
class Delivery:
    """A call to an app, the same in every attempt; `attempt` counts from 1, over retries too.

    `context` and `request` are the JSON of the hook's context and request.
    """

    id: str
    app_id: str
    app_version: str
    capability: str
    hook: str
    room_id: str | None
    context: JsonObject
    request: JsonObject
    occurred_at: datetime
    attempt: int = 1
    max_attempts: int = 1


class Outcome(StrEnum):
    """The outcome of an attempt to send a delivery."""

    DELIVERED = "delivered"  #: the app has it
    ACCEPTED = "accepted"  #: the app accepted it; a callback brings the result
    FAILED = "failed"  #: the app did not accept it: one attempt is used up
    PARKED = "parked"  #: the app was not called, because it is paused, stopped or missing


@dataclass(frozen=True)
class Result:
    """The outcome, and for a failure a code for programs and a sentence for people."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None


class DeliverySender(Protocol):
    """Sends a delivery to its app and returns the result.

    It ends within a call's deadline and may be cancelled. An exception counts as a failure.
    """

    async def __call__(self, delivery: Delivery, /) -> Result:
        """Send the delivery."""
        ...
