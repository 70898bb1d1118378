"""Texts in the formats that schemas name; a number chooses among those of one format."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta


def _moment(salt: int) -> datetime:
    """Return a future time, the same for a whole day."""
    today = datetime.now(UTC).replace(hour=20, minute=0, second=0, microsecond=0)
    return today + timedelta(days=2 + salt)


FORMATS: Mapping[str, Callable[[int], str]] = {
    "date-time": lambda salt: _moment(salt).isoformat().replace("+00:00", "Z"),
    "date": lambda salt: _moment(salt).date().isoformat(),
    "time": lambda _: "20:00:00Z",
    "duration": lambda salt: f"PT{salt + 1}M",
    "email": lambda salt: f"person{salt}@example.com",
    "hostname": lambda salt: f"host{salt}.example.com",
    "ipv4": lambda salt: f"192.0.2.{salt % 250 + 1}",
    "ipv6": lambda salt: f"2001:db8::{salt + 1:x}",
    "uri": lambda salt: f"https://example.com/{salt}",
    "uri-reference": lambda salt: f"/{salt}",
    "iri": lambda salt: f"https://example.com/{salt}",
    "uuid": lambda salt: f"00000000-0000-4000-8000-{salt:012d}",
    "json-pointer": lambda salt: f"/{salt}",
    "regex": lambda _: "^.*$",
}
