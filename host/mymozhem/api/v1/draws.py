"""Draws: create, run, reveal and void them; their records are public."""

from collections.abc import AsyncIterator

from quart import Response, request

from mymozhem.api.query_models import DrawsQuery, check_fields, paged
from mymozhem.api.request_models import NewDrawBody, ReasonBody, RetryBody, RevealBody, RunBody
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.contract import PrizeCount, PublicSource
from mymozhem.contract.fair.record import Record
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.draws import manage
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.published_records import PublishedRecord, find_record, read_parts
from mymozhem.rooms.tables.draws import RevealMode
from mymozhem.rooms.views.draws import DrawView, draw
from mymozhem.rooms.views.draws import draws as found_draws

#: the envelope around the stored bytes of a record
_BEFORE, _AFTER = b'{"data":', b',"meta":{}}'

routes = Routes("draws", "Draws that strangers can verify.")


@routes.add("POST /rooms/{id}/draws", status=202)
async def create_draw(context: RequestContext, id: str, body: NewDrawBody) -> DrawView:
    """Create a draw; a durable job commits it, and with `run` selects its winners."""
    row = await manage.create_draw(context.services, id, context.caller, _request(body))
    return await _shown(context, id, row.id)


@routes.add("GET /rooms/{id}/draws")
async def list_draws(context: RequestContext, id: str, query: DrawsQuery) -> Page[DrawView]:
    """List the draws of a room; only a single draw shows its picks."""
    check_fields(query.fields, DrawView)
    found = await found_draws(context.services, id, context.principal, query.part)
    return paged(found, query)


@routes.add("GET /rooms/{id}/draws/{did}")
async def get_draw(context: RequestContext, id: str, did: str) -> DrawView:
    """Return one draw, with the winners of the revealed prizes."""
    return await _shown(context, id, did)


@routes.add("POST /rooms/{id}/draws/{did}/run", status=202)
async def run_draw(context: RequestContext, id: str, did: str, body: RunBody) -> DrawView:
    """Select the winners, as soon as the draw is committed.

    The values of public sources are confirmed in their canonical form before they are accepted.
    """
    await manage.run_draw(
        context.services, id, context.caller, did, body.public_inputs, body.confirm
    )
    return await _shown(context, id, did)


@routes.add("POST /rooms/{id}/draws/{did}/reveal")
async def reveal_draw(context: RequestContext, id: str, did: str, body: RevealBody) -> DrawView:
    """Reveal the winners of some prizes or of all, or the `next` items of a draw of items."""
    await manage.reveal_draw(
        context.services, id, context.caller, did, body.prizes, count=body.next
    )
    return await _shown(context, id, did)


@routes.add("POST /rooms/{id}/draws/{did}/void")
async def void_draw(context: RequestContext, id: str, did: str, body: ReasonBody) -> DrawView:
    """End a draw without winners, in public."""
    reason = body.reason or "Voided by an organizer."
    await manage.void_draw(context.services, id, context.caller, did, reason)
    return await _shown(context, id, did)


@routes.add("POST /rooms/{id}/draws/{did}/retry", status=202)
async def retry_draw(context: RequestContext, id: str, did: str, body: RetryBody) -> DrawView:
    """Retry a held draw; with `platform` everybody takes part with one ticket."""
    await manage.retry_draw(
        context.services, id, context.caller, did, platform=body.platform, formats=body.formats
    )
    return await _shown(context, id, did)


@routes.add(
    "GET /rooms/{id}/draws/{did}/record",
    produces="application/json",
    anonymous=True,
    shape=Record,
    enveloped=True,
)
async def get_record(context: RequestContext, id: str, did: str) -> Response:
    """Return the public record of a finished draw, from which anybody can recompute its winners.

    A draw that was voided after its commit has a record, too. A record never changes, and it
    outlives its room. With `If-None-Match` the answer is 304 if the reader has the record already.
    """
    found = await find_record(context.services, id, did)
    if request.if_none_match.contains_weak(found.digest):
        response = Response(status=304)
    else:
        response = Response(_enveloped(context.services, found), content_type="application/json")
        response.content_length = len(_BEFORE) + found.size + len(_AFTER)
        response.timeout = None
    response.set_etag(found.digest)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


async def _enveloped(services: Services, found: PublishedRecord) -> AsyncIterator[bytes]:
    yield _BEFORE
    async for part in read_parts(services, found):
        yield part
    yield _AFTER


def _request(body: NewDrawBody) -> DrawRequest:
    prizes = None
    if body.prizes is not None:
        prizes = tuple(PrizeCount(prize_id=each.prize_id, count=each.count) for each in body.prizes)
    return DrawRequest(
        prizes=prizes,
        key=body.key,
        run=body.run,
        reveal=RevealMode(body.reveal),
        public_sources=tuple(
            PublicSource(name=each.name, due=each.due, format=each.format)
            for each in body.public_sources
        ),
        replaces=body.replaces,
        reserves=body.reserves,
    )


async def _shown(context: RequestContext, room_id: str, draw_id: str) -> DrawView:
    return await draw(context.services, room_id, context.principal, draw_id)
