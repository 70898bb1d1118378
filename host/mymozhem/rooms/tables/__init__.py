"""The tables of rooms, one module per feature.

Importing one of them imports all, since foreign keys name tables of the others.
"""

from . import (
    draws,
    events,
    imports,
    locks,
    notifications,
    participants,
    pending_calls,
    prizes,
    rooms,
    scores,
    timers,
    windows,
)

__all__ = [
    "draws",
    "events",
    "imports",
    "locks",
    "notifications",
    "participants",
    "pending_calls",
    "prizes",
    "rooms",
    "scores",
    "timers",
    "windows",
]
