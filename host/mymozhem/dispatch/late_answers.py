"""Late answers: replies that arrive after the deadline, when a fallback has decided already."""

from dataclasses import dataclass
from typing import Protocol

from mymozhem.contract import DecidedBy


@dataclass(frozen=True)
class LateAnswer:
    """A reply that arrived after the deadline of its call.

    `decided_by` is what decided at the deadline. `data` is the reply as JSON, within the size
    limit but not yet validated against the hook, and None if the app failed. `refused` means
    that the reply is a refusal. `late_ms` is the time between the deadline and the reply.
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
    """Receives late answers; must not block and never raise."""

    def late(self, answer: LateAnswer, /) -> None:
        """Handle a late answer."""
        ...
