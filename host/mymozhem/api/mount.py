"""Mount the whole API on an app: every route, with the same request pipeline and error body."""

from collections.abc import Callable, Iterable
from typing import Never

from quart import Quart
from quart.routing import QuartRule

from mymozhem.auth.access_table import ACCESS

from . import (
    api_versions,
    arrival_time,
    costly,
    cross_origin,
    error_handlers,
    middleware,
    openapi,
    request_pipeline,
)
from .api_versions import API_VERSIONS, ApiVersion
from .json_provider import OrjsonProvider
from .request_pipeline import HostSource
from .routes import Route
from .v1 import ROUTES, TAGS

MOST_BYTES = max(route.max_bytes for route in ROUTES)


class AccessIncomplete(RuntimeError):
    """A route has no row in the table of access, or a row has no route; the host does not start."""


class _Rule(QuartRule):
    """A rule that matches and builds no URL: compiling what builds one is most of `create_app`."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., Never]:  # noqa: ARG002, FBT001, FBT002 - werkzeug's signature
        return _build_nothing


def _build_nothing(*_arguments: object) -> Never:
    message = "the API builds no URLs from its rules"
    raise NotImplementedError(message)


def install(
    app: Quart,
    host: HostSource,
    routes: Iterable[Route] = ROUTES,
    versions: Iterable[ApiVersion] = API_VERSIONS,
) -> None:
    """Let an app serve the API; raises `AccessIncomplete` if table and routes differ."""
    served = list(routes)
    require_complete(served)
    app.json = OrjsonProvider(app)
    app.url_rule_class = _Rule
    app.url_map.merge_slashes = False  # a redirect would respond with HTML
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.config["PROPAGATE_EXCEPTIONS"] = False
    arrival_time.install(app, host)
    costly.install(app)
    middleware.install(app)
    api_versions.install(app, host, versions)
    cross_origin.install(app, host)
    middleware.install_metrics(app, host)
    error_handlers.install(app)
    for route in served:
        request_pipeline.install(app, route, host)
    openapi.install(app, served, TAGS)


def require_complete(routes: Iterable[Route]) -> None:
    """Raise `AccessIncomplete` unless each route has one row, and each row one route."""
    named = [route.endpoint for route in routes]
    twice = sorted({each for each in named if named.count(each) > 1})
    without_row, without_route = sorted(set(named) - set(ACCESS)), sorted(set(ACCESS) - set(named))
    if twice or without_row or without_route:
        message = (
            f"routes without a row of access: {without_row}; rows without a route: "
            f"{without_route}; routes that stand twice: {twice}"
        )
        raise AccessIncomplete(message)
