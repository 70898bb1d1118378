"""Time that a test can hold in its hand."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the host takes its time from."""

    def now(self) -> datetime:
        """Return the time in UTC, cut to milliseconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring spans."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC, cut to milliseconds."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()


class HeldClock:
    """A clock that stands until it is moved; for tests and replays."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = milliseconds(now or datetime(2030, 1, 1, 12, tzinfo=UTC))
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the time at which the clock is held."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds that the clock was moved since it was made."""
        return self._monotonic

    def advance(self, span: timedelta | float) -> None:
        """Move the clock on by a span, given as a timedelta or in seconds."""
        step = span if isinstance(span, timedelta) else timedelta(seconds=span)
        self._now = milliseconds(self._now + step)
        self._monotonic += step.total_seconds()


def milliseconds(moment: datetime) -> datetime:
    """Cut a moment to whole milliseconds, in UTC."""
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """Write a moment as the API does: UTC, milliseconds, `Z` (`2030-01-01T12:00:00.000Z`)."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )
