"""Errors: why no worker can be called."""

from mymozhem.errors import Unavailable


class NotStarted(Unavailable):
    """The app's worker did not start, or ended before it could be called.

    `by_app` means that the app itself cannot be loaded, so that a retry does not help. `detail` is
    for logs only, if it says more: errors of apps may contain private data.
    """

    default_code = "WORKER_NOT_STARTED"

    def __init__(self, reason: str, *, detail: str | None = None, by_app: bool = False) -> None:
        super().__init__(reason)
        self.detail = detail or reason
        self.by_app = by_app


class Resting(Unavailable):
    """The app's worker ended too often recently; it is started again in a moment."""

    default_code = "WORKER_RESTING"
