"""A unit of work under a lease, whatever its kind."""

from dataclasses import dataclass
from enum import StrEnum


class JobKind(StrEnum):
    """What is to be moved on."""

    DRAW = "draw"  #: a draw
    TIMER = "timer"  #: a timer of the app's, or a change that it is told
    WINDOW = "window"  #: a window


@dataclass(frozen=True)
class Lease:
    """A row that this process has taken; `generation` is that of a timer, 0 for all else."""

    kind: JobKind
    room_id: str
    row_id: str
    token: str
    generation: int = 0
