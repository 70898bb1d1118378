"""How often the timers of a room fire, as far as this process has run them."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from mymozhem.errors import Conflict

#: timers of a room that may fire within `SPAN`
MAX_TIMERS = 10
SPAN = timedelta(seconds=1)

#: rooms that are remembered; the one whose timers have rested longest is forgotten first
MAX_ROOMS = 10_000


class TimersTooOften(Conflict):
    """A room's timers may fire ten times a second; set this one for later."""

    default_code = "TIMERS_TOO_OFTEN"


class TimerRates:
    """The latest due times of timers that have fired, by room."""

    def __init__(self) -> None:
        self._fired: OrderedDict[str, deque[datetime]] = OrderedDict()

    def note(self, room_id: str, due_at: datetime) -> None:
        """Remember that a timer has fired, by the time for which it was set."""
        self._fired.setdefault(room_id, deque(maxlen=MAX_TIMERS)).append(due_at)
        self._fired.move_to_end(room_id)
        if len(self._fired) > MAX_ROOMS:
            self._fired.popitem(last=False)

    def check(self, room_id: str, due_at: datetime, others: Iterable[datetime]) -> None:
        """Raise TimersTooOften if a timer at this time were one too many within a second.

        `others` are the due times of the room's timers that wait.
        """
        moments = sorted(
            each
            for each in (*self._fired.get(room_id, ()), *others, due_at)
            if abs(each - due_at) < SPAN
        )
        for first, last in zip(moments, moments[MAX_TIMERS:], strict=False):
            if last - first < SPAN:
                raise TimersTooOften(details={"limit": MAX_TIMERS, "seconds": 1})
