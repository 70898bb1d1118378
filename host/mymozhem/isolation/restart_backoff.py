"""When a worker that died may be started again."""

#: who lived that long was well: the next death is the first again
LIVED_SECONDS = 60.0
FIRST_REST_SECONDS = 0.5
LONGEST_REST_SECONDS = 60.0

_DOUBLINGS = 16


def deaths_before(deaths: int, lived_seconds: float) -> int:
    """Return how many deaths in a row still count after a life of so many seconds."""
    return 0 if lived_seconds >= LIVED_SECONDS else deaths


def deaths_after(deaths: int, lived_seconds: float) -> int:
    """Return how many deaths in a row there are with one more, after a life of so many seconds."""
    return deaths_before(deaths, lived_seconds) + 1


def rest_seconds(deaths: int) -> float:
    """Return how long to wait after so many deaths in a row: none, 0.5 s, then twice as long."""
    if deaths <= 1:
        return 0.0
    return min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2.0 ** min(deaths - 2, _DOUBLINGS))
