"""What leaves a room as a file: its code as a picture, its log line by line."""

from collections.abc import AsyncIterator, Mapping
from io import BytesIO

import orjson
import segno
from quart import Response

from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.principal import Principal
from mymozhem.rooms.core.access import membership_for
from mymozhem.rooms.core.event_log import MAX_PAGE, read_events
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.views.base import to_json
from mymozhem.rooms.views.snapshot import event_view

routes = Routes("rooms", "Rooms: made, found, changed, played in.")
SVG = "image/svg+xml"
JSON_LINES = "application/x-ndjson"


@routes.add("GET /rooms/{id}/qr.svg", produces=SVG)
async def get_qr(context: RequestContext, id: str) -> Response:
    """Return the way into the room as a QR code, for those who help to run it."""
    async with context.services.database.read() as session:
        membership = await membership_for(session, id, context.principal, "GET /rooms/{id}/qr.svg")
    address = f"{context.services.settings.effective_public_url}/join/{membership.room.code}"
    drawn = BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", scale=8, border=4, svgns=True)
    return Response(drawn.getvalue(), content_type=SVG)


@routes.add("GET /rooms/{id}/export", produces=JSON_LINES)
async def export_room(context: RequestContext, id: str) -> Response:
    """Return the room's log as JSON Lines: the room first, then every event that organizers see."""
    async with context.services.database.read() as session:
        await membership_for(session, id, context.principal, "GET /rooms/{id}/export")
    room = await context.host.reader.room(id, context.principal)
    first = {"format": "mymozhem-room-1", "room": room.document}
    response = Response(
        _lines(context.services, id, context.caller, first), content_type=JSON_LINES
    )
    response.timeout = None
    response.headers["Content-Disposition"] = f'attachment; filename="{id}.jsonl"'
    return response


async def _lines(
    services: Services, room_id: str, caller: Principal, first: Mapping[str, object]
) -> AsyncIterator[bytes]:
    yield orjson.dumps(first) + b"\n"
    after: str | None = None
    while True:
        async with services.database.read() as session:
            membership = await membership_for(session, room_id, caller, "GET /rooms/{id}/export")
            events = await read_events(session, membership, after=after)
        for event in events:
            yield orjson.dumps(to_json(event_view(event))) + b"\n"
        if len(events) < MAX_PAGE:
            return
        after = events[-1].cursor
