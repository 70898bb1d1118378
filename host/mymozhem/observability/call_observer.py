"""What becomes of calls, told to whoever counts them."""

from dataclasses import dataclass
from typing import Literal, Protocol

from mymozhem.contract import DecidedBy

CallResult = Literal["success", "refusal", "failure"]


@dataclass(frozen=True)
class Observed:
    """One call that is over; times in milliseconds, `failure_code` set when the app failed.

    `reached` says whether the app was asked at all: a call that met an open breaker was not.
    """

    app_id: str
    version: str
    capability: str
    hook: str
    room_id: str | None
    result: CallResult
    failure_code: str | None
    decided_by: DecidedBy
    duration_ms: float
    deadline_ms: int
    attempt: int
    reached: bool


class CallObserver(Protocol):
    """Counts calls; it must return at once and never raise."""

    def observed(self, call: Observed, /) -> None:
        """Take note of a call that is over."""
        ...


class Observers:
    """Tells several counters of every call."""

    def __init__(self, *observers: CallObserver) -> None:
        self._observers = observers

    def observed(self, call: Observed, /) -> None:
        """Tell each of them."""
        for observer in self._observers:
            observer.observed(call)
