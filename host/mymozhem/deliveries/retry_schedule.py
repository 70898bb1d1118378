"""When and how often a delivery is retried. Pure."""

from dataclasses import dataclass
from typing import Protocol

from mymozhem.concurrency.backoff import Backoff, Shape
from mymozhem.config import Settings
from mymozhem.errors import NotFound
from mymozhem.manifests.model import Manifest

#: the maximum delay in seconds, without jitter
LONGEST = 3_600.0

#: how much later than planned a delivery may be sent, so that retries spread out
JITTER = 0.2


class Manifests(Protocol):
    """Finds manifests."""

    def manifest(self, app_id: str, version: str, /) -> Manifest:
        """Return the manifest of a published version; raises `NotFound`."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How many attempts a delivery has, and how the delays grow; `first` in seconds."""

    max_attempts: int = 3
    first: float = 30.0
    growth: float = 20.0
    backoff: Shape = "exponential"

    def wait(self, failures: int, *, chance: float) -> float | None:
        """Return the delay in seconds after the given number of failures; None after the last one.

        `chance`, from 0 to 1, says how much of the jitter is added.
        """
        if failures >= self.max_attempts:
            return None
        backoff = Backoff(self.first, LONGEST, growth=self.growth, shape=self.backoff)
        return backoff.seconds(failures) * (1 + JITTER * chance)


class Schedules:
    """The retry schedule of each capability: the manifest's, or the operator's default.

    A manifest may set the number of attempts and the form of back-off; `enabled: false` means one
    attempt. The delays are the operator's.
    """

    def __init__(self, manifests: Manifests, settings: Settings) -> None:
        self._manifests = manifests
        self._default = Schedule(
            settings.delivery_attempts,
            settings.delivery_wait_seconds,
            settings.delivery_wait_growth,
        )

    def of(self, app_id: str, version: str, capability: str) -> Schedule:
        """Return how often and when deliveries of a capability are attempted."""
        try:
            webhook = self._manifests.manifest(app_id, version).webhook(capability)
        except NotFound:
            return self._default
        if webhook is None or webhook.retry is None:
            return self._default
        retry = webhook.retry
        return Schedule(
            (retry.max_attempts or self._default.max_attempts) if retry.enabled else 1,
            self._default.first,
            self._default.growth,
            _shape(retry.backoff),
        )


def _shape(named: str | None) -> Shape:
    if named == "linear":
        return "linear"
    return "fixed" if named == "fixed" else "exponential"
