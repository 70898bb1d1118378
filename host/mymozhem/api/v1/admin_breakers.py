"""Breakers: which apps the host does not call for now, and how an operator resets them."""

from typing import Annotated

from pydantic import StringConstraints

from mymozhem.api.query_models import Pages, paged
from mymozhem.api.request_parsing import Body
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.dispatch.breakers import reset
from mymozhem.dispatch.breakers.breaker import BreakerStatus, Key
from mymozhem.dispatch.breakers.registry import BreakerSnapshot
from mymozhem.rooms.views.base import Timestamp, View
from mymozhem.rooms.views.paging import ResultPage

from .admin import require_admin

routes = Routes("breakers", "Apps that the host does not call for a while, because they failed.")

Text = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class BreakerBody(Body):
    """A capability of one version of an app."""

    app_id: Text
    version: Text
    capability: Text


class BreakerView(View):
    """The breaker for a capability of one version of an app, in this process of the host.

    `open` lets no calls through until `until`, then `half_open` lets them through one at a time;
    after enough successes it is `closed`. `failures` counts consecutive failures, `code` is that of
    the last one.
    """

    app_id: str
    version: str
    capability: str
    state: BreakerStatus
    failures: int
    successes: int
    opened_at: Timestamp | None
    until: Timestamp | None
    code: str | None


@routes.add("GET /admin/breakers")
async def list_breakers(context: RequestContext, query: Pages) -> Page[BreakerView]:
    """List the breakers that are not closed or count failures, by app."""
    await require_admin(context, "GET /admin/breakers")
    found = [_seen(each) for each in context.services.breakers.snapshot()]
    first = (query.page - 1) * query.limit
    return paged(ResultPage(found[first : first + query.limit], len(found)), query)


@routes.add("POST /admin/breakers/reset", refuses=frozenset({404}))
async def reset_breaker(context: RequestContext, body: BreakerBody) -> BreakerView:
    """Close a breaker in every process of the host; idempotent."""
    await require_admin(context, "POST /admin/breakers/reset")
    services = context.services
    key = Key(body.app_id, body.version, body.capability)
    found = await reset.reset_breaker(
        services.database,
        services.catalog,
        services.breakers,
        key,
        actor_id=context.caller.user_id,
    )
    return _seen(found)


def _seen(view: BreakerSnapshot) -> BreakerView:
    return BreakerView(
        app_id=view.key.app_id,
        version=view.key.version,
        capability=view.key.capability,
        state=view.state,
        failures=view.failures,
        successes=view.successes,
        opened_at=view.opened_at,
        until=view.until,
        code=view.code,
    )
