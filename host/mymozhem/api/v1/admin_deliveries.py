"""Deliveries to apps: list them, read dead letters, and retry them."""

from mymozhem.api.idempotency import Repeat
from mymozhem.api.query_models import Id, Pages, paged
from mymozhem.api.request_parsing import Body
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.contract.wire import Moment
from mymozhem.deliveries import commands
from mymozhem.deliveries.tables import DeliveryState
from mymozhem.rooms.views.base import Deleted, View, deleted
from mymozhem.rooms.views.deliveries import (
    DeliveryFilter,
    DeliveryView,
    DeliveryWholeView,
    list_deliveries,
    show_delivery,
)

from .admin import require_admin

routes = Routes("deliveries", "Notifications of apps, kept until they are delivered.")


class DeliveriesQuery(Pages):
    """Deliveries, newest first."""

    state: DeliveryState | None = None
    app_id: Id | None = None
    capability: Id | None = None
    room_id: Id | None = None


class LettersQuery(Pages):
    """Dead letters, newest first."""

    app_id: Id | None = None
    capability: Id | None = None
    room_id: Id | None = None


class RetryLettersBody(Body):
    """Which dead letters to retry: those since a time, of one app or of all."""

    since: Moment
    app_id: Id | None = None


class RetriedView(View):
    """How many dead letters are queued again."""

    retried: int


@routes.add("GET /admin/deliveries")
async def list_all_deliveries(
    context: RequestContext, query: DeliveriesQuery
) -> Page[DeliveryView]:
    """List deliveries, newest first."""
    await require_admin(context, "GET /admin/deliveries")
    return await _page(context, query, _filter(query, query.state))


@routes.add("GET /admin/deliveries/{id}")
async def get_delivery(context: RequestContext, id: str) -> DeliveryWholeView:
    """Return a delivery with every attempt, without its body, which may be secret."""
    await require_admin(context, "GET /admin/deliveries/{id}")
    return await show_delivery(context.services.database, id)


@routes.add("GET /admin/dead-letters")
async def list_dead_letters(context: RequestContext, query: LettersQuery) -> Page[DeliveryView]:
    """List deliveries whose every attempt failed, newest first."""
    await require_admin(context, "GET /admin/dead-letters")
    return await _page(context, query, _filter(query, DeliveryState.DEAD))


@routes.add("POST /admin/dead-letters/{id}/retry", refuses=frozenset({409}))
async def retry_dead_letter(context: RequestContext, id: str) -> DeliveryWholeView:
    """Retry a dead letter, after the pending deliveries of its stream."""
    await require_admin(context, "POST /admin/dead-letters/{id}/retry")
    services = context.services
    await commands.retry_dead_letter(
        services.database, services.outbox, id, actor_id=context.caller.user_id
    )
    return await show_delivery(services.database, id)


@routes.add("POST /admin/dead-letters/retry", repeat=Repeat.SAME)
async def retry_dead_letters(context: RequestContext, body: RetryLettersBody) -> RetriedView:
    """Retry every dead letter since a time; those of one stream keep their order."""
    await require_admin(context, "POST /admin/dead-letters/retry")
    services = context.services
    retried = await commands.retry_dead_letters(
        services.database,
        services.outbox,
        body.since,
        app_id=body.app_id,
        actor_id=context.caller.user_id,
    )
    return RetriedView(retried=retried)


@routes.add("DELETE /admin/dead-letters/{id}", refuses=frozenset({409}))
async def delete_dead_letter(context: RequestContext, id: str) -> Deleted:
    """Delete a dead letter permanently."""
    await require_admin(context, "DELETE /admin/dead-letters/{id}")
    at = await commands.delete_dead_letter(
        context.services.database, id, actor_id=context.caller.user_id
    )
    return deleted(id, at)


def _filter(query: DeliveriesQuery | LettersQuery, state: DeliveryState | None) -> DeliveryFilter:
    return DeliveryFilter(state, query.app_id, query.capability, query.room_id)


async def _page(
    context: RequestContext, query: Pages, wanted: DeliveryFilter
) -> Page[DeliveryView]:
    return paged(await list_deliveries(context.services.database, wanted, query.part), query)
