"""Long lists that remote apps fetch, because they do not fit into the request of a call."""

from typing import Annotated

from pydantic import Field, StringConstraints
from quart import Response

from mymozhem.api.request_parsing import Query
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.dispatch.stored_lists import StoredLists
from mymozhem.rooms.core.services import Services

routes = Routes("lists", "Long lists in requests to remote apps.")
JSON = "application/json"
#: a list of a call, or the parallel arrays of one
ROWS = {"anyOf": [{"type": "array", "items": {}}, {"type": "object"}]}


class SignedQuery(Query):
    """The signed query of a list's address."""

    expires: Annotated[int, Field(ge=0, lt=10**12, description="In seconds since 1970.")]
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


@routes.add(
    "GET /lists/{listId}", produces=JSON, anonymous=True, refuses=frozenset({404, 410}), shape=ROWS
)
async def get_list(context: RequestContext, list_id: str, query: SignedQuery) -> Response:
    """Return a list as JSON, exactly the bytes of its digest."""
    lists = stored_lists(context.services)
    data = await lists.get(list_id, expires=query.expires, signature=query.signature)
    return Response(data, content_type=JSON)


def stored_lists(services: Services) -> StoredLists:
    """Return the lists of a host."""
    return StoredLists(
        services.database,
        key=services.keys.derive("lists"),
        public_url=services.settings.effective_public_url,
        clock=services.clock,
    )
