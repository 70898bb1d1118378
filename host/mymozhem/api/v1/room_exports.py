"""Exports of a room: its join link as a QR code, its log as JSON Lines."""

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from io import BytesIO

import orjson
import segno
from quart import Response

from mymozhem.api.file_downloads import DOWNLOAD_SECONDS
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.principal import Principal
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.views.account import join_code
from mymozhem.rooms.views.base import to_json
from mymozhem.rooms.views.log import export_log, require_export

routes = Routes("rooms", "Rooms: create, find, change and play them.")
SVG = "image/svg+xml"
#: QR codes that are kept, because drawing one takes as long as many requests
MOST_DRAWN = 256
JSON_LINES = "application/x-ndjson"


@routes.add("GET /rooms/{id}/qr.svg", produces=SVG)
async def get_qr(context: RequestContext, id: str) -> Response:
    """Return the join link of the room as a QR code, for staff of the room."""
    code = await join_code(context.services, id, context.principal)
    address = f"{context.services.settings.effective_public_url}/join/{code}"
    return Response(_drawn(address), content_type=SVG)


@routes.add("GET /rooms/{id}/export", produces=JSON_LINES)
async def export_room(context: RequestContext, id: str) -> Response:
    """Return the room's log as JSON Lines: the room first, then every event for organizers."""
    await require_export(context.services, id, context.principal)
    room = await context.host.reader.room(id, context.principal)
    first = {"format": "mymozhem-room-1", "room": room.document}
    response = Response(
        _lines(context.services, id, context.caller, first), content_type=JSON_LINES
    )
    response.timeout = DOWNLOAD_SECONDS
    response.headers["Content-Disposition"] = f'attachment; filename="{id}.jsonl"'
    return response


@lru_cache(maxsize=MOST_DRAWN)
def _drawn(address: str) -> bytes:
    drawn = BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", scale=8, border=4, svgns=True)
    return drawn.getvalue()


async def _lines(
    services: Services, room_id: str, caller: Principal, first: Mapping[str, object]
) -> AsyncIterator[bytes]:
    yield orjson.dumps(first) + b"\n"
    async for events in export_log(services, room_id, caller):
        for event in events:
            yield orjson.dumps(to_json(event)) + b"\n"
