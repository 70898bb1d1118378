"""A lease on a row with due work, whatever the kind of job."""

from dataclasses import dataclass
from enum import StrEnum


class JobKind(StrEnum):
    """The kind of row that a job processes."""

    DRAW = "draw"  #: a draw
    IMPORT = "import"  #: people of an import who wait to be added
    NOTICES = "notices"  #: notices to organizers that wait to be sent
    RESULTS = "results"  #: results of a window that wait to be written
    TIMER = "timer"  #: a timer of the app, or a change that it is notified of
    WINDOW = "window"  #: a window


@dataclass(frozen=True)
class Lease:
    """A row that this process has leased; `generation` is that of a timer, otherwise 0.

    `room_id` is empty for work that belongs to no single room.
    """

    kind: JobKind
    room_id: str
    row_id: str
    token: str
    generation: int = 0
