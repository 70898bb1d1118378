"""Why there is no worker to ask."""

from mymozhem.errors import Unavailable


class NotStarted(Unavailable):
    """The app's worker did not start, or ended before it could be asked.

    `by_app` says that the app itself cannot be loaded: it will not help to try again. `detail` is
    for logs alone, where it tells more: errors of apps may hold what is not for everybody.
    """

    default_code = "WORKER_NOT_STARTED"

    def __init__(self, reason: str, *, detail: str | None = None, by_app: bool = False) -> None:
        super().__init__(reason)
        self.detail = detail or reason
        self.by_app = by_app


class Resting(Unavailable):
    """The app's worker ended too often of late; it is started again in a moment."""

    default_code = "WORKER_RESTING"
