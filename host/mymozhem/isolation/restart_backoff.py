"""The back-off before a worker that died is started again."""

from mymozhem.concurrency.backoff import Backoff

#: a worker that lived this long was healthy: its death counts as the first one
LIVED_SECONDS = 60.0

#: the delays from the second death in a row on; after the first, there is no delay
_REST = Backoff(first=0.5, longest=60.0)


def deaths_before(deaths: int, lived_seconds: float) -> int:
    """Return how many deaths in a row still count after the given lifetime."""
    return 0 if lived_seconds >= LIVED_SECONDS else deaths


def deaths_after(deaths: int, lived_seconds: float) -> int:
    """Return the number of deaths in a row with one more, after the given lifetime."""
    return deaths_before(deaths, lived_seconds) + 1


def rest_seconds(deaths: int) -> float:
    """Return the seconds to wait after deaths in a row: 0, 0.5, then doubled each time."""
    return 0.0 if deaths <= 1 else _REST.seconds(deaths - 1)
