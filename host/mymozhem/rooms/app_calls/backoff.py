"""When an app that did not answer is asked again."""

#: after the first failures, in seconds
SOON = (0.5, 2.0, 5.0)

#: a parked call is tried again after this long, doubling up to the longest, in seconds
PARKED = 60.0
LONGEST = 600.0


def seconds(attempts: int, *, parked: bool = False) -> float:
    """Return the seconds to wait after so many failed attempts, from 1.

    With `parked` the quick ones are left out: the app is known not to answer at once.
    """
    if parked:
        attempts = max(attempts, len(SOON) + 1)
    if attempts <= len(SOON):
        return SOON[attempts - 1]
    return min(PARKED * 2.0 ** min(attempts - len(SOON) - 1, 10), LONGEST)
