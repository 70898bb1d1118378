"""Quiet hours, in which only critical alerts are sent."""

from dataclasses import dataclass
from datetime import datetime, time, tzinfo

from mymozhem.config import Settings, zone_of


@dataclass(frozen=True)
class QuietHours:
    """A part of the day in a time zone; it spans midnight if it ends before it begins."""

    begin: time
    end: time
    zone: tzinfo

    @classmethod
    def of(cls, settings: Settings) -> "QuietHours":
        """Read the setting; without it, no hour is quiet."""
        begin, _, end = (settings.quiet_hours or "00:00-00:00").partition("-")
        return cls(time.fromisoformat(begin), time.fromisoformat(end), zone_of(settings.time_zone))

    def hold(self, moment: datetime) -> bool:
        """Return whether a moment is in them; the end is excluded, and equal ends mean never."""
        local = moment.astimezone(self.zone).time()
        if self.begin <= self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end
