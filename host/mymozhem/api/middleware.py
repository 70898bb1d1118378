"""What every request and every response get: a request id, a log line, security headers."""

import logging
import re
import secrets
import time
from collections.abc import Callable

import structlog
from quart import Quart, Response, g, request

from .dependencies import ApiDependencies

#: the label of requests that match no route
NO_ROUTE = "none"

HEADER = "X-Request-ID"
#: a client's own id is used if it cannot break a log line
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Check first: building a line that nobody reads costs as much as the rest of a request.
_logging = logging.getLogger("mymozhem.http")
logger = structlog.stdlib.get_logger("mymozhem.http")


def install(app: Quart) -> None:
    """Give every request an id and a log line, and every response its headers."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id(given: str | None) -> str:
    """Return the client's own id if it is safe to log, otherwise a new one."""
    return given if given and _ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"


async def _begin() -> None:
    g.request_id = request_id(request.headers.get(HEADER))
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


async def _end(response: Response) -> Response:
    headers = response.headers
    headers[HEADER] = g.get("request_id") or request_id(None)
    # One lookup for all: checking each header separately costs more than the whole response.
    given = {name.lower() for name, _ in headers}
    headers.extend((name, value) for name, value in _SAFE.items() if name.lower() not in given)
    quota = g.get("quota")
    if quota is not None and "x-ratelimit-limit" not in given:
        headers.extend(quota.headers)
    _log(response)
    return response


def _log(response: Response) -> None:
    if not _logging.isEnabledFor(logging.INFO):
        return
    route = request.url_rule.endpoint if request.url_rule else request.method
    taken = (time.perf_counter() - g.get("started", time.perf_counter())) * 1000
    logger.info("request", route=route, status=response.status_code, ms=round(taken, 1))


def install_metrics(app: Quart, host: Callable[[], ApiDependencies | None]) -> None:
    """Count the responses of an app; `headers` records when each request began."""

    async def count(response: Response) -> Response:
        found = host()
        if found is not None:
            route = request.url_rule.endpoint if request.url_rule else NO_ROUTE
            now = time.perf_counter()
            found.metrics.answered(route, response.status_code, now - g.get("started", now))
        return response

    app.after_request(count)
