"""Winners: given by hand, handed out, moved, revoked."""

from mymozhem.api.query_models import WinnersQuery, check_fields, paged
from mymozhem.api.request_models import MoveBody, NewWinnerBody, ReasonBody
from mymozhem.api.request_pipeline import Call
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.rooms.core.access import membership_for, write_as
from mymozhem.rooms.prizes import winners
from mymozhem.rooms.views.winners import SeenWinner, WinnerFilter, winner
from mymozhem.rooms.views.winners import winners as found_winners

routes = Routes("winners", "Who won what.")


@routes.add("POST /rooms/{id}/winners", status=201)
async def create_winner(call: Call, id: str, body: NewWinnerBody) -> SeenWinner:
    """Give a unit of a prize to somebody by hand, visibly at once."""
    async with write_as(call.services, id, call.caller, "POST /rooms/{id}/winners") as writer:
        row = await winners.award(
            writer,
            participant_id=body.participant_id,
            prize_id=body.prize_id,
            metadata=body.metadata,
        )
    return await _shown(call, id, row.id)


@routes.add("GET /rooms/{id}/winners")
async def list_winners(call: Call, id: str, query: WinnersQuery) -> Page[SeenWinner]:
    """List winners, revoked ones too; none before the reveal of their draw."""
    check_fields(query.fields, SeenWinner)
    wanted = WinnerFilter(
        prize_id=query.prize_id,
        participant_id=query.participant_id,
        draw_id=query.draw_id,
        status=query.status,
    )
    async with call.services.database.read() as session:
        membership = await membership_for(session, id, call.principal, "GET /rooms/{id}/winners")
        return paged(await found_winners(session, membership, wanted, query.part), query)


@routes.add("GET /rooms/{id}/winners/{wid}")
async def get_winner(call: Call, id: str, wid: str) -> SeenWinner:
    """Return one winner."""
    return await _shown(call, id, wid)


@routes.add("DELETE /rooms/{id}/winners/{wid}", refuses=frozenset({409}))
async def revoke_winner(call: Call, id: str, wid: str, body: ReasonBody) -> SeenWinner:
    """Take a win back; its unit of the prize is there again, and the result stays visible."""
    route = "DELETE /rooms/{id}/winners/{wid}"
    async with write_as(call.services, id, call.caller, route) as writer:
        await winners.revoke(writer, wid, reason=body.reason)
    return await _shown(call, id, wid)


@routes.add("POST /rooms/{id}/winners/{wid}/fulfill")
async def fulfill_winner(call: Call, id: str, wid: str) -> SeenWinner:
    """Note that the prize was handed out."""
    route = "POST /rooms/{id}/winners/{wid}/fulfill"
    async with write_as(call.services, id, call.caller, route) as writer:
        await winners.fulfill(writer, wid)
    return await _shown(call, id, wid)


@routes.add("POST /rooms/{id}/winners/{wid}/move")
async def move_winner(call: Call, id: str, wid: str, body: MoveBody) -> SeenWinner:
    """Give a winner another prize instead, visibly and with a reason."""
    route = "POST /rooms/{id}/winners/{wid}/move"
    async with write_as(call.services, id, call.caller, route) as writer:
        await winners.move(writer, wid, prize_id=body.prize_id, reason=body.reason)
    return await _shown(call, id, wid)


async def _shown(call: Call, room_id: str, winner_id: str) -> SeenWinner:
    async with call.services.database.read() as session:
        membership = await membership_for(
            session, room_id, call.principal, "GET /rooms/{id}/winners/{wid}"
        )
        return await winner(session, membership, winner_id)
