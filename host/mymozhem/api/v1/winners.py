"""Winners: given by hand, handed out, moved, revoked."""

from mymozhem.api.query_models import WinnersQuery, check_fields, paged
from mymozhem.api.request_models import MoveBody, NewWinnerBody, ReasonBody
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.rooms.core.access import membership_for, write_as
from mymozhem.rooms.prizes import winners
from mymozhem.rooms.views.winners import WinnerFilter, WinnerView, winner
from mymozhem.rooms.views.winners import winners as found_winners

routes = Routes("winners", "Who won what.")


@routes.add("POST /rooms/{id}/winners", status=201)
async def create_winner(context: RequestContext, id: str, body: NewWinnerBody) -> WinnerView:
    """Give a unit of a prize to somebody by hand, visibly at once."""
    async with write_as(context.services, id, context.caller, "POST /rooms/{id}/winners") as writer:
        row = await winners.award(
            writer,
            participant_id=body.participant_id,
            prize_id=body.prize_id,
            metadata=body.metadata,
        )
    return await _shown(context, id, row.id)


@routes.add("GET /rooms/{id}/winners")
async def list_winners(context: RequestContext, id: str, query: WinnersQuery) -> Page[WinnerView]:
    """List winners, revoked ones too; none before the reveal of their draw."""
    check_fields(query.fields, WinnerView)
    wanted = WinnerFilter(
        prize_id=query.prize_id,
        participant_id=query.participant_id,
        draw_id=query.draw_id,
        status=query.status,
    )
    async with context.services.database.read() as session:
        membership = await membership_for(session, id, context.principal, "GET /rooms/{id}/winners")
        return paged(await found_winners(session, membership, wanted, query.part), query)


@routes.add("GET /rooms/{id}/winners/{wid}")
async def get_winner(context: RequestContext, id: str, wid: str) -> WinnerView:
    """Return one winner."""
    return await _shown(context, id, wid)


@routes.add("DELETE /rooms/{id}/winners/{wid}", refuses=frozenset({409}))
async def revoke_winner(context: RequestContext, id: str, wid: str, body: ReasonBody) -> WinnerView:
    """Take a win back; its unit of the prize is there again, and the result stays visible."""
    route = "DELETE /rooms/{id}/winners/{wid}"
    async with write_as(context.services, id, context.caller, route) as writer:
        await winners.revoke(writer, wid, reason=body.reason)
    return await _shown(context, id, wid)


@routes.add("POST /rooms/{id}/winners/{wid}/fulfill")
async def fulfill_winner(context: RequestContext, id: str, wid: str) -> WinnerView:
    """Note that the prize was handed out."""
    route = "POST /rooms/{id}/winners/{wid}/fulfill"
    async with write_as(context.services, id, context.caller, route) as writer:
        await winners.fulfill(writer, wid)
    return await _shown(context, id, wid)


@routes.add("POST /rooms/{id}/winners/{wid}/move")
async def move_winner(context: RequestContext, id: str, wid: str, body: MoveBody) -> WinnerView:
    """Give a winner another prize instead, visibly and with a reason."""
    route = "POST /rooms/{id}/winners/{wid}/move"
    async with write_as(context.services, id, context.caller, route) as writer:
        await winners.move(writer, wid, prize_id=body.prize_id, reason=body.reason)
    return await _shown(context, id, wid)


async def _shown(context: RequestContext, room_id: str, winner_id: str) -> WinnerView:
    async with context.services.database.read() as session:
        membership = await membership_for(
            session, room_id, context.principal, "GET /rooms/{id}/winners/{wid}"
        )
        return await winner(session, membership, winner_id)
