"""The metadata field `tickets`: a whole number, in whatever notation it comes."""

from collections.abc import Iterator

from mymozhem.contract import JsonObject
from mymozhem.rooms.core.whole_numbers import whole_number

FIELD = "tickets"
MOST_TICKETS = 10_000_000


def with_whole_tickets(metadata: JsonObject) -> tuple[JsonObject, dict[str, str]]:
    """Return metadata whose tickets are integers, and a problem for each key where they are not.

    The field counts in any case: `Tickets` is what somebody wrote who meant it. Null is no value.
    """
    found = dict(metadata)
    problems: dict[str, str] = {}
    keys = list(_ticket_keys(metadata))
    for key in keys:
        number = whole_number(metadata[key])
        if metadata[key] is None:
            continue
        if number is None or number > MOST_TICKETS:
            problems[key] = f"Write a whole number of tickets, from 0 to {MOST_TICKETS}."
        else:
            found[key] = number
    if len(keys) > 1:
        problems[keys[1]] = f"The tickets are there twice: as {keys[0]!r} and as {keys[1]!r}."
    return found, problems


def _ticket_keys(metadata: JsonObject) -> Iterator[str]:
    return (key for key in metadata if key.strip().casefold() == FIELD)
