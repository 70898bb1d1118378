"""Winners: given by hand, handed out, moved, revoked."""

from mymozhem.api.query_models import WinnersQuery, check_fields, paged
from mymozhem.api.request_models import MoveBody, NewWinnerBody, ReasonBody
from mymozhem.api.request_pipeline import Call
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.rooms.prizes import manage_winners
from mymozhem.rooms.views.winners import SeenWinner, WinnerFilter, winner
from mymozhem.rooms.views.winners import winners as found_winners

routes = Routes("winners", "Who won what.")


@routes.add("POST /rooms/{id}/winners", status=201)
async def create_winner(call: Call, id: str, body: NewWinnerBody) -> SeenWinner:
    """Give a unit of a prize to somebody by hand, visibly at once."""
    row = await manage_winners.create_winner(
        call.services,
        id,
        call.caller,
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
    found = await found_winners(call.services, id, call.principal, wanted, query.part)
    return paged(found, query)


@routes.add("GET /rooms/{id}/winners/{wid}")
async def get_winner(call: Call, id: str, wid: str) -> SeenWinner:
    """Return one winner."""
    return await _shown(call, id, wid)


@routes.add("DELETE /rooms/{id}/winners/{wid}", refuses=frozenset({409}))
async def revoke_winner(call: Call, id: str, wid: str, body: ReasonBody) -> SeenWinner:
    """Take a win back; its unit of the prize is there again, and the result stays visible."""
    await manage_winners.revoke_winner(call.services, id, call.caller, wid, reason=body.reason)
    return await _shown(call, id, wid)


@routes.add("POST /rooms/{id}/winners/{wid}/fulfill")
async def fulfill_winner(call: Call, id: str, wid: str) -> SeenWinner:
    """Note that the prize was handed out."""
    await manage_winners.fulfill_winner(call.services, id, call.caller, wid)
    return await _shown(call, id, wid)


@routes.add("POST /rooms/{id}/winners/{wid}/move")
async def move_winner(call: Call, id: str, wid: str, body: MoveBody) -> SeenWinner:
    """Give a winner another prize instead, visibly and with a reason."""
    await manage_winners.move_winner(
        call.services, id, call.caller, wid, prize_id=body.prize_id, reason=body.reason
    )
    return await _shown(call, id, wid)


async def _shown(call: Call, room_id: str, winner_id: str) -> SeenWinner:
    return await winner(call.services, room_id, call.principal, winner_id)
