"""Winners: add, fulfill, move and revoke them."""

from typing import Any, Literal

from mymozhem.api.query_models import WinnersQuery, check_fields, paged
from mymozhem.api.request_models import MoveBody, NewWinnerBody, ReasonBody
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.rooms.prizes import manage_winners
from mymozhem.rooms.views.base import Timestamp
from mymozhem.rooms.views.winners import WinnerFilter, WinnerView, winner
from mymozhem.rooms.views.winners import winners as found_winners

routes = Routes("winners", "Who won what.")


class RevokedView(WinnerView):
    """A revoked win; `deletedAt` is when it was revoked."""

    success: Literal[True]
    deleted_at: Timestamp


@routes.add("POST /rooms/{id}/winners", status=201)
async def create_winner(context: RequestContext, id: str, body: NewWinnerBody) -> WinnerView:
    """Assign a unit of a prize to a participant manually; it is visible immediately."""
    row = await manage_winners.create_winner(
        context.services,
        id,
        context.caller,
        participant_id=body.participant_id,
        prize_id=body.prize_id,
        metadata=body.metadata,
    )
    return await _shown(context, id, row.id)


@routes.add("GET /rooms/{id}/winners")
async def list_winners(context: RequestContext, id: str, query: WinnersQuery) -> Page[WinnerView]:
    """List winners, including revoked ones; none before the reveal of their draw."""
    check_fields(query.fields, WinnerView)
    wanted = WinnerFilter(
        prize_id=query.prize_id,
        participant_id=query.participant_id,
        draw_id=query.draw_id,
        status=query.status,
    )
    found = await found_winners(context.services, id, context.principal, wanted, query.part)
    return paged(found, query)


@routes.add("GET /rooms/{id}/winners/{wid}")
async def get_winner(context: RequestContext, id: str, wid: str) -> WinnerView:
    """Return one winner."""
    return await _shown(context, id, wid)


@routes.add("DELETE /rooms/{id}/winners/{wid}", refuses=frozenset({409}))
async def revoke_winner(
    context: RequestContext, id: str, wid: str, body: ReasonBody
) -> RevokedView:
    """Revoke a win; its unit becomes available again, and the result stays visible."""
    await manage_winners.revoke_winner(
        context.services, id, context.caller, wid, reason=body.reason
    )
    shown = await _shown(context, id, wid)
    return RevokedView(**_fields(shown), success=True, deleted_at=shown.updated_at)


@routes.add("POST /rooms/{id}/winners/{wid}/fulfill")
async def fulfill_winner(context: RequestContext, id: str, wid: str) -> WinnerView:
    """Record that the prize was handed out."""
    await manage_winners.fulfill_winner(context.services, id, context.caller, wid)
    return await _shown(context, id, wid)


@routes.add("POST /rooms/{id}/winners/{wid}/move")
async def move_winner(context: RequestContext, id: str, wid: str, body: MoveBody) -> WinnerView:
    """Give a winner another prize instead, visibly and with a reason."""
    await manage_winners.move_winner(
        context.services, id, context.caller, wid, prize_id=body.prize_id, reason=body.reason
    )
    return await _shown(context, id, wid)


def _fields(shown: WinnerView) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in shown.model_fields_set}


async def _shown(context: RequestContext, room_id: str, winner_id: str) -> WinnerView:
    return await winner(context.services, room_id, context.principal, winner_id)
