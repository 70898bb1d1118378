"""Every answer is counted by the template of its route, never by its address."""

import time
from collections.abc import Callable

from quart import Quart, Response, g, request

from .dependencies import Host

#: what no route of ours answered
NO_ROUTE = "none"


def install(app: Quart, host: Callable[[], Host | None]) -> None:
    """Count the answers of an app; `headers` notes when each request began."""

    async def count(response: Response) -> Response:
        found = host()
        if found is not None:
            route = request.url_rule.endpoint if request.url_rule else NO_ROUTE
            now = time.perf_counter()
            found.metrics.answered(route, response.status_code, now - g.get("started", now))
        return response

    app.after_request(count)
