"""Observers of finished calls, for metrics and statistics."""

from dataclasses import dataclass
from typing import Literal, Protocol

from mymozhem.contract import DecidedBy

CallResult = Literal["success", "refusal", "failure"]


@dataclass(frozen=True)
class Observed:
    """A finished call; times in milliseconds, `failure_code` set if the app failed.

    `reached` says whether the app was called at all: a call with an open breaker was not.
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


@dataclass(frozen=True)
class AppReport:
    """Something that an app does wrong besides its replies; `code` says what."""

    app_id: str
    version: str
    capability: str
    code: str


class CallObserver(Protocol):
    """Receives finished calls; must not block and never raise."""

    def observed(self, call: Observed, /) -> None:
        """Handle a finished call."""
        ...


class Observers:
    """Passes every call to several observers."""

    def __init__(self, *observers: CallObserver) -> None:
        self._observers = observers

    def observed(self, call: Observed, /) -> None:
        """Pass the call to each of them."""
        for observer in self._observers:
            observer.observed(call)
