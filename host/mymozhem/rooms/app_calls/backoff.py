"""The back-off of calls that an app did not answer."""

from mymozhem.concurrency.backoff import Backoff

#: after the first failures, in seconds
SOON = (0.5, 2.0, 5.0)

#: a parked call is retried after these waits
PARKED = Backoff(first=60.0, longest=600.0)


def seconds(attempts: int, *, parked: bool = False) -> float:
    """Return the seconds to wait after `attempts` failed attempts, counted from 1.

    With `parked` the short waits are left out, because the app is known to be down.
    """
    later = attempts - len(SOON)
    if parked:
        later = max(later, 1)
    return SOON[attempts - 1] if later <= 0 else PARKED.seconds(later)
