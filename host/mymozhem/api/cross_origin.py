"""CORS: which pages of other origins may call the API from a browser.

Allowed are the origins of the operator's setting, and for each remote app that is not stopped those
that the setting names for it, and that of its address. Pages of these origins send tokens
themselves: no cookie is sent along. A request that changes something and comes from a page of any
other origin is refused, also without a cookie.
"""

from http import HTTPStatus

from quart import Quart, Response, request

from mymozhem.config import origin_of
from mymozhem.errors import Forbidden

from .dependencies import ApiDependencies
from .request_pipeline import HostSource

METHODS = "GET, POST, PATCH, DELETE"
REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, X-App-Id, X-App-Token, X-Request-ID"
)
RESPONSE_HEADERS = (
    "Content-Disposition, ETag, Idempotency-Replayed, Retry-After, X-API-Deprecated, "
    "X-API-Latest-Version, X-API-Version, X-RateLimit-Limit, X-RateLimit-Remaining, "
    "X-RateLimit-Reset, X-Request-ID"
)
#: seconds for which a browser remembers that it may call
MAX_AGE = "600"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Quart, host: HostSource) -> None:
    """Let pages of the allowed origins read responses, and answer what browsers ask before."""

    async def preflight() -> Response | None:
        asks = "Access-Control-Request-Method" in request.headers
        if request.method != "OPTIONS" or not asks or "Origin" not in request.headers:
            return None
        response = Response("", status=HTTPStatus.NO_CONTENT)
        if _allowed(host()):
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
            response.headers["Access-Control-Max-Age"] = MAX_AGE
        return response

    async def refuse_foreign() -> None:
        origin = request.headers.get("Origin")
        here = host()
        if origin is None or here is None or request.method in _SAFE:
            return
        own = origin_of(here.services.settings.effective_public_url)
        if origin != own and not _allowed(here):
            message = "Pages of this origin may not change anything here."
            raise Forbidden(message, code="ORIGIN_REFUSED", details={"origin": origin[:200]})

    async def allow(response: Response) -> Response:
        if "Origin" not in request.headers:
            return response
        response.headers.add("Vary", "Origin")
        if _allowed(host()):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = RESPONSE_HEADERS
        return response

    app.before_request(preflight)
    app.before_request(refuse_foreign)
    app.after_request(allow)


def _allowed(host: ApiDependencies | None) -> bool:
    """Return whether the page that a request comes from may read the response."""
    origin = request.headers["Origin"]
    if host is None:
        return False
    named = host.services.settings.cors_origins
    if any(each.app_id is None and each.origin == origin for each in named):
        return True
    working = [app for app in host.services.catalog.apps() if app.facts.stopped is None]
    if any(app.facts.remote and _home(app.newest().base_url) == origin for app in working):
        return True
    ids = {app.app_id for app in working}
    return any(each.app_id in ids and each.origin == origin for each in named)


def _home(base_url: str | None) -> str | None:
    return None if base_url is None else origin_of(base_url)
