"""Prizes: what can be won in a room."""

from mymozhem.api.query_models import PrizesQuery, check_fields, paged
from mymozhem.api.request_models import NewPrizeBody, PrizePatch
from mymozhem.api.request_parsing import given_fields
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.rooms.prizes import manage
from mymozhem.rooms.prizes.manage import NewPrize
from mymozhem.rooms.views.base import Deleted, deleted
from mymozhem.rooms.views.prizes import PrizeView, prize
from mymozhem.rooms.views.prizes import prizes as found_prizes

routes = Routes("prizes", "What can be won in a room.")
_COLUMNS = {"name": "name", "description": "description", "image_url": "image_url",
            "quantity": "quantity", "metadata": "data"}  # fmt: skip


@routes.add("POST /rooms/{id}/prizes", status=201)
async def create_prize(context: RequestContext, id: str, body: NewPrizeBody) -> PrizeView:
    """Add a prize to a room that has not ended."""
    new = NewPrize(
        body.name,
        quantity=body.quantity,
        description=body.description,
        image_url=body.image_url,
        metadata=body.metadata,
    )
    return await _shown(
        context, id, (await manage.create_prize(context.services, id, context.caller, new)).id
    )


@routes.add("GET /rooms/{id}/prizes")
async def list_prizes(context: RequestContext, id: str, query: PrizesQuery) -> Page[PrizeView]:
    """List the prizes of a room."""
    check_fields(query.fields, PrizeView)
    found = await found_prizes(
        context.services,
        id,
        context.principal,
        query.part,
        include_exhausted=query.include_exhausted,
    )
    return paged(found, query)


@routes.add("GET /rooms/{id}/prizes/{prizeId}")
async def get_prize(context: RequestContext, id: str, prize_id: str) -> PrizeView:
    """Return one prize."""
    return await _shown(context, id, prize_id)


@routes.add("PATCH /rooms/{id}/prizes/{prizeId}", refuses=frozenset({409}))
async def change_prize(
    context: RequestContext, id: str, prize_id: str, body: PrizePatch
) -> PrizeView:
    """Change a prize; never below what is won or reserved."""
    given = given_fields(body, _COLUMNS, may_be_null="image_url")
    changes = {_COLUMNS[name]: value for name, value in given.items()}
    await manage.change_prize(context.services, id, context.caller, prize_id, changes)
    return await _shown(context, id, prize_id)


@routes.add("DELETE /rooms/{id}/prizes/{prizeId}", refuses=frozenset({409}))
async def delete_prize(context: RequestContext, id: str, prize_id: str) -> Deleted:
    """Delete a prize of which nothing is won or reserved."""
    at = await manage.delete_prize(context.services, id, context.caller, prize_id)
    return deleted(prize_id, at)


async def _shown(context: RequestContext, room_id: str, prize_id: str) -> PrizeView:
    return await prize(context.services, room_id, context.principal, prize_id)
