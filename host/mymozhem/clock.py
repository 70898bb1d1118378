"""The clocks of the host; tests can control one of them."""

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol


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


#: a difference between wall clock and monotonic clock that is a jump, and no drift
JUMP = timedelta(milliseconds=250)


class ClockJump(NamedTuple):
    """A jump of a clock: when, by the new time, and how far, in seconds.

    It is the clock of a host's machine, or that of the database server.
    """

    at: datetime
    seconds: float
    of_database: bool = False


class SteadyClock(SystemClock):
    """The clock of a process that keeps running: it goes on through jumps of the wall clock.

    `now` is the wall clock as long as that moves as the monotonic clock does. After a jump (the
    clock was set, or the machine was suspended) it continues from the moment before, until
    `follow` is called. `jump` is how far the wall clock is ahead by then; None without a jump.
    """

    def __init__(self, source: Clock | None = None) -> None:
        """`source` is what jumps, by default the clock of the operating system."""
        self._source: Clock = source or SystemClock()
        self._wall, self._monotonic = self._source.now(), self._source.monotonic()
        self.jump: timedelta | None = None

    def now(self) -> datetime:
        """Return the time in UTC, cut to milliseconds."""
        wall, monotonic = self._source.now(), self._source.monotonic()
        steady = self._wall + timedelta(seconds=monotonic - self._monotonic)
        if abs(wall - steady) < JUMP:
            self._wall, self._monotonic, self.jump = wall, monotonic, None
            return wall
        self.jump = wall - steady
        return milliseconds(steady)

    def monotonic(self) -> float:
        """Return the monotonic seconds of the source."""
        return self._source.monotonic()

    def follow(self) -> None:
        """Continue with the time of the wall clock."""
        self._wall, self._monotonic = self._source.now(), self._source.monotonic()
        self.jump = None


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

    def set(self, now: datetime) -> None:
        """Set the time without letting any pass, as somebody who sets the machine's clock does."""
        self._now = milliseconds(now)

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
