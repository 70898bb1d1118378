"""What is carried to an app, and what may come of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from mymozhem.contract import JsonObject


@dataclass(frozen=True)
class Delivery:
    """A question to an app, the same in every attempt; `attempt` counts from 1, over retries too.

    `context` and `request` are the JSON of those of the hook.
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
    """What came of carrying a delivery."""

    DELIVERED = "delivered"  #: the app has it
    ACCEPTED = "accepted"  #: the app has taken it; a callback says what came of it
    FAILED = "failed"  #: the app did not take it: one attempt is used up
    PARKED = "parked"  #: the app was not asked, as it is paused, stopped or not there


@dataclass(frozen=True)
class Result:
    """The outcome, and where it is no good one a code for programs and a sentence for people."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None


class DeliverySender(Protocol):
    """Carries a delivery to its app and says what came of it.

    It ends within a call's deadline and may be cancelled. What it raises counts as a failure.
    """

    async def __call__(self, delivery: Delivery, /) -> Result:
        """Have the app told."""
        ...
