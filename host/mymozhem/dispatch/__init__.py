"""Hook calls to apps: deadlines, limits, fallbacks and validation, for every transport.

Use cases call `Dispatcher.call` and read the `Outcome`; nothing here knows rooms or HTTP.
"""

from .dispatcher import Dispatcher
from .outcome import BadAnswer, Failure, FailureKind, Outcome
from .policy import Budget
from .transports.base import AppTarget

__all__ = [
    "AppTarget",
    "BadAnswer",
    "Budget",
    "Dispatcher",
    "Failure",
    "FailureKind",
    "Outcome",
]
