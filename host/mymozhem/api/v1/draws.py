"""Draws: asked for, run, revealed, voided; their records for everybody."""

from quart import Response

from mymozhem.api.query_models import DrawsQuery, check_fields, paged
from mymozhem.api.request_models import NewDrawBody, ReasonBody, RetryBody, RevealBody, RunBody
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.contract import PrizeCount, PublicSource
from mymozhem.rooms.core.access import membership_for, write_as
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import record
from mymozhem.rooms.tables.draws import RevealMode
from mymozhem.rooms.views.draws import DrawView, draw
from mymozhem.rooms.views.draws import draws as found_draws

routes = Routes("draws", "Draws that strangers can verify.")


@routes.add("POST /rooms/{id}/draws", status=202)
async def create_draw(context: RequestContext, id: str, body: NewDrawBody) -> DrawView:
    """Ask for a draw; a durable job commits it, and runs it where that is asked for."""
    async with write_as(context.services, id, context.caller, "POST /rooms/{id}/draws") as writer:
        row = await commands.request(writer, _wish(body))
    return await _shown(context, id, row.id)


@routes.add("GET /rooms/{id}/draws")
async def list_draws(context: RequestContext, id: str, query: DrawsQuery) -> Page[DrawView]:
    """List the draws of a room; picks are shown by one draw alone."""
    check_fields(query.fields, DrawView)
    async with context.services.database.read() as session:
        membership = await membership_for(session, id, context.principal, "GET /rooms/{id}/draws")
        return paged(await found_draws(session, membership, query.part), query)


@routes.add("GET /rooms/{id}/draws/{did}")
async def get_draw(context: RequestContext, id: str, did: str) -> DrawView:
    """Return one draw, with the winners of those prizes that are revealed."""
    return await _shown(context, id, did)


@routes.add("POST /rooms/{id}/draws/{did}/run", status=202)
async def run_draw(context: RequestContext, id: str, did: str, body: RunBody) -> DrawView:
    """Have the winners selected, as soon as the draw is committed."""
    route = "POST /rooms/{id}/draws/{did}/run"
    async with write_as(context.services, id, context.caller, route) as writer:
        await commands.run(writer, await commands.by_id(writer, did), body.public_inputs)
    return await _shown(context, id, did)


@routes.add("POST /rooms/{id}/draws/{did}/reveal")
async def reveal_draw(context: RequestContext, id: str, did: str, body: RevealBody) -> DrawView:
    """Make the winners of some prizes public, or of all."""
    route = "POST /rooms/{id}/draws/{did}/reveal"
    async with write_as(context.services, id, context.caller, route) as writer:
        await commands.reveal(writer, await commands.by_id(writer, did), body.prizes)
    return await _shown(context, id, did)


@routes.add("POST /rooms/{id}/draws/{did}/void")
async def void_draw(context: RequestContext, id: str, did: str, body: ReasonBody) -> DrawView:
    """End a draw without winners, in public."""
    route = "POST /rooms/{id}/draws/{did}/void"
    reason = body.reason or "Voided by an organizer."
    async with write_as(context.services, id, context.caller, route) as writer:
        await commands.void(writer, await commands.by_id(writer, did), reason)
    return await _shown(context, id, did)


@routes.add("POST /rooms/{id}/draws/{did}/retry", status=202)
async def retry_draw(context: RequestContext, id: str, did: str, body: RetryBody) -> DrawView:
    """Try a held draw again; with `platform` everybody takes part with one ticket."""
    route = "POST /rooms/{id}/draws/{did}/retry"
    async with write_as(context.services, id, context.caller, route) as writer:
        await commands.retry(writer, await commands.by_id(writer, did), platform=body.platform)
    return await _shown(context, id, did)


@routes.add("GET /rooms/{id}/draws/{did}/record", produces="application/json", anonymous=True)
async def get_record(context: RequestContext, id: str, did: str) -> Response:
    """Return the public record of a revealed draw, from which anybody recomputes its winners."""
    found = await record(context.services, id, did)
    return Response(b'{"data":' + found + b',"meta":{}}', content_type="application/json")


def _wish(body: NewDrawBody) -> DrawRequest:
    prizes = None
    if body.prizes is not None:
        prizes = tuple(PrizeCount(prize_id=each.prize_id, count=each.count) for each in body.prizes)
    return DrawRequest(
        prizes=prizes,
        key=body.key,
        run=body.run,
        reveal=RevealMode(body.reveal),
        public_sources=tuple(
            PublicSource(name=each.name, due=each.due) for each in body.public_sources
        ),
        replaces=body.replaces,
        reserves=body.reserves,
    )


async def _shown(context: RequestContext, room_id: str, draw_id: str) -> DrawView:
    async with context.services.database.read() as session:
        membership = await membership_for(
            session, room_id, context.principal, "GET /rooms/{id}/draws/{did}"
        )
        return await draw(session, membership, draw_id)
