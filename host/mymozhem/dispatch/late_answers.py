"""Answers that come after something else has stood in for them: told to whoever records them."""

from dataclasses import dataclass
from typing import Protocol

from mymozhem.contract import DecidedBy


@dataclass(frozen=True)
class LateAnswer:
    """What an app said to a call that nobody waited for any more.

    `decided_by` is what stood in when its deadline passed. `data` is the answer as JSON of a size
    that is allowed, not yet validated against the hook, and None where the app failed after all;
    `refused` says that it is a refusal. `late_ms` is how long after the deadline it came.
    """

    call_id: str
    app_id: str
    version: str
    hook: str
    room_id: str | None
    decided_by: DecidedBy
    data: bytes | None
    refused: bool
    late_ms: float


class LateSink(Protocol):
    """Takes late answers; it must return at once and never raise."""

    def late(self, answer: LateAnswer, /) -> None:
        """Take note of an answer that came too late."""
        ...
