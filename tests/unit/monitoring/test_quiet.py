"""Quiet hours are those of the operators' clock."""

from datetime import UTC, datetime

import pytest

from mymozhem.config import Settings
from mymozhem.monitoring.quiet_hours import QuietHours


@pytest.mark.parametrize(
    ("hours", "zone", "moment", "held"),
    [
        ("22:00-08:00", "UTC", "21:59", False),
        ("22:00-08:00", "UTC", "22:00", True),
        ("22:00-08:00", "UTC", "00:00", True),
        ("22:00-08:00", "UTC", "07:59", True),
        ("22:00-08:00", "UTC", "08:00", False),
        ("22:00-08:00", "Europe/Helsinki", "20:30", True),
        ("22:00-08:00", "Europe/Helsinki", "06:30", False),
        ("12:00-14:00", "UTC", "13:00", True),
        ("12:00-14:00", "UTC", "14:00", False),
        ("", "UTC", "03:00", False),
    ],
)
def test_an_hour_is_quiet_or_not(hours, zone, moment, held):
    quiet = QuietHours.of(Settings(quiet_hours=hours, time_zone=zone))
    hour, minute = map(int, moment.split(":"))
    assert quiet.hold(datetime(2030, 1, 15, hour, minute, tzinfo=UTC)) is held
