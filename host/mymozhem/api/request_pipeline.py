"""The pipeline of every request: authenticate, count, parse, run once, respond."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog
from quart import Quart, Request, Response, g, request

from mymozhem.auth.access_rules import admit
from mymozhem.auth.principal import AnyPrincipal, AppPrincipal, Principal
from mymozhem.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from mymozhem.rooms.core.services import Services

from .arrival_time import received
from .authentication import principal_of
from .costly import COSTLY
from .dependencies import ApiDependencies
from .idempotency import Repeat, claim_of, key_of, once
from .on_behalf import require_app_allowed, require_valid_app
from .request_parsing import read_body, read_bytes, read_query
from .responses import Reply, reply
from .routes import Route

HostSource = Callable[[], ApiDependencies | None]
_WRITES = frozenset({"POST", "PATCH", "DELETE"})


@dataclass(frozen=True)
class RequestContext:
    """A request as its handler sees it; `address` is the client's.

    `principal` is the user who calls, `app` the remote app; one of them is None, or both.
    `on_behalf` is the app whose token the user sends beside their own.
    `received` is the monotonic time, in seconds, at which the whole request had arrived. `key` is
    its idempotency key, if the use case itself recognizes repeated requests by it.
    """

    host: ApiDependencies
    principal: Principal | None
    app: AppPrincipal | None
    on_behalf: AppPrincipal | None
    address: str
    if_match: str | None
    key: str | None
    received: float

    @property
    def services(self) -> Services:
        """The services of the use cases."""
        return self.host.services

    @property
    def caller(self) -> Principal:
        """The user who calls; `Unauthenticated` if the request is anonymous."""
        if self.principal is None:
            raise Unauthenticated
        return self.principal

    async def calling_app(self) -> AppPrincipal:
        """Return the remote app that calls, if its secret is still valid.

        Raises `Forbidden` if the app is stopped or the caller is no app, `NotFound` if the app was
        deleted, `Unauthenticated` TOKEN_EXPIRED if its secret was revoked since.
        """
        if self.app is None:
            raise Forbidden
        await require_valid_app(self.host, self.app)
        return self.app


def install(app: Quart, route: Route, host: HostSource) -> None:
    """Let an app serve a route."""

    async def view(**path: str) -> Response:
        return await _serve(route, _ready(host), path)

    view.__name__ = route.operation_id
    view.__doc__ = route.handler.__doc__
    app.add_url_rule(route.pattern, route.endpoint, view, methods=[route.method])


async def _serve(route: Route, host: ApiDependencies, path: Mapping[str, str]) -> Response:
    principal = None if route.anonymous else principal_of(request.headers, host.tokens)
    if principal is not None and principal.is_stale and not _has_body(route):
        principal = replace(principal, is_stale=False)  # it matters only to what writes
    admit(route.rule, principal)
    quota = host.limits.count(principal)
    if quota is not None:
        g.quota = quota
    on_behalf = await require_app_allowed(host, route, request, principal, path)
    _bind(principal, path)
    body = await read_bytes(request, max_bytes=route.max_bytes) if _has_body(route) else b""
    arguments = _arguments(route, request, path, body)
    kind = COSTLY.get(route.endpoint)
    if kind is not None and (not route.files or _is_download(arguments)):
        host.costly.hold(kind, request, principal)
    key = key_of(request) if route.repeat is Repeat.OWN else None
    call = RequestContext(
        host,
        principal if isinstance(principal, Principal) else None,
        principal if isinstance(principal, AppPrincipal) else None,
        on_behalf,
        address=request.remote_addr or "",
        if_match=request.headers.get("If-Match"),
        key=key,
        received=received(request, host.services.clock),
    )

    if route.produces is not None or route.files:
        answer = await route.handler(call, **arguments)
        if isinstance(answer, Response):
            return answer
        return reply(answer, status=route.status).response()

    async def work() -> Reply:
        return reply(await route.handler(call, **arguments), status=route.status)

    claim = None
    if route.method == "POST" and route.repeat in (Repeat.SAME, Repeat.SECRET):
        claim = claim_of(host.services, request, principal, body)
    if claim is None:
        return (await work()).response()
    return (await once(host.services, claim, work, repeat=route.repeat)).response()


def _ready(host: HostSource) -> ApiDependencies:
    found = host()
    if found is None:
        message = "The host is starting or stopping; try again in a moment."
        raise Unavailable(message, code="NOT_READY")
    return found


def _is_download(arguments: Mapping[str, object]) -> bool:
    return getattr(arguments.get("query"), "format", None) is not None


def _has_body(route: Route) -> bool:
    return route.method in _WRITES


def _arguments(
    route: Route, asked: Request, path: Mapping[str, str], body: bytes
) -> dict[str, object]:
    arguments: dict[str, object] = {name: _segment(value) for name, value in path.items()}
    if route.query is not None:
        arguments["query"] = read_query(asked.args, route.query)
    if route.raw:
        arguments["raw"] = body
    if route.body is not None:
        arguments["body"] = read_body(asked, body, route.body)
    return arguments


def _segment(value: str) -> str:
    """Return a segment of the path; NotFound if it cannot be an id of ours."""
    longest = 128
    if len(value) > longest or not value.isprintable():
        raise NotFound
    return value


def _bind(principal: AnyPrincipal | None, path: Mapping[str, str]) -> None:
    facts = {}
    if isinstance(principal, AppPrincipal):
        facts["app_id"] = principal.app_id
    elif principal is not None:
        facts["user_id"] = principal.user_id
    if path.get("id", "").startswith("room_"):
        facts["room_id"] = path["id"]
    if facts:
        structlog.contextvars.bind_contextvars(**facts)
