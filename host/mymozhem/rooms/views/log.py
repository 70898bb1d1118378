"""A room's log as callers see it: in parts, or as an export."""

from collections.abc import AsyncIterator

from mymozhem.auth.principal import Principal
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.event_log import MAX_PAGE, read_events
from mymozhem.rooms.core.services import Services

from .snapshot import LoggedEvent, event_view

EXPORT = "GET /rooms/{id}/export"


async def read_log(
    services: Services, room_id: str, caller: Principal | None, *, after: str | None, limit: int
) -> list[LoggedEvent]:
    """Return the events after a cursor that the caller's level may see, the oldest first."""
    endpoint = "GET /rooms/{id}/events"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        events = await read_events(session, membership, after=after, limit=limit)
    return [event_view(event) for event in events]


async def require_export(services: Services, room_id: str, caller: Principal | None) -> None:
    """Raise unless the access table lets the caller export the room."""
    async with read_as(services, room_id, caller, EXPORT):
        pass


async def export_log(
    services: Services, room_id: str, caller: Principal
) -> AsyncIterator[list[LoggedEvent]]:
    """Yield the whole log in parts; no transaction stays open between two parts.

    The caller is checked for every part: a caller who is removed receives no further part.
    """
    after: str | None = None
    while True:
        async with read_as(services, room_id, caller, EXPORT) as (session, membership):
            events = await read_events(session, membership, after=after)
        yield [event_view(event) for event in events]
        if len(events) < MAX_PAGE:
            return
        after = events[-1].cursor
