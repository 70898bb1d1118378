"""The clocks of the host; tests can control one of them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The source of the host's time."""

    def now(self) -> datetime:
        """Return the time in UTC, cut to milliseconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never decrease, to measure spans."""
        ...


class SystemClock:
    """The clock of the operating system."""

    def now(self) -> datetime:
        """Return the system's time in UTC, cut to milliseconds."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Return the system's monotonic seconds."""
        return time.monotonic()


class HeldClock:
    """A clock that only moves when a test or replay advances it."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = milliseconds(now or datetime(2030, 1, 1, 12, tzinfo=UTC))
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the time of the clock."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds by which the clock was advanced since it was created."""
        return self._monotonic

    def advance(self, span: timedelta | float) -> None:
        """Advance the clock by a span, given as a timedelta or in seconds."""
        step = span if isinstance(span, timedelta) else timedelta(seconds=span)
        self._now = milliseconds(self._now + step)
        self._monotonic += step.total_seconds()


def milliseconds(moment: datetime) -> datetime:
    """Return a time cut to whole milliseconds, in UTC."""
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """Return a time in the API's format: UTC, milliseconds, `Z` (`2030-01-01T12:00:00.000Z`)."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )
