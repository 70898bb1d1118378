"""Information about the platform: versions, health, keys, documents."""

import asyncio
import platform
from collections.abc import Callable
from datetime import UTC, date
from importlib.metadata import version

import orjson
from pydantic import BaseModel
from quart import Response, current_app

from mymozhem.api.api_versions import API_VERSIONS, ApiVersion, Stage
from mymozhem.api.html_pages import docs_html, docs_page, front_page
from mymozhem.api.openapi import openapi_document
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.revocations import NOT_READY_AFTER
from mymozhem.contract import CONTRACT_VERSION, JsonObject
from mymozhem.errors import Unavailable
from mymozhem.rooms.views.base import View

routes = Routes("system", "Information about the platform.")
#: where an application keeps its description, in each form
_FORMS = "mymozhem.description"
HTML = "text/html; charset=utf-8"
#: the maximum difference between the database's clock and this machine's
MOST_SKEW_SECONDS = 0.25


class ApiVersionView(View):
    """A version of the API, its stage, and the days (UTC) on which each stage begins."""

    version: str
    status: Stage
    active: date
    maintenance: date | None
    deprecated: date | None
    sunset: date | None
    guide: str | None


class Versions(View):
    """The software of this host and its versions; `api` lists those of the API that work."""

    api: list[str]
    versions: list[ApiVersionView]
    platform: str
    contract: str
    python: str


class Health(View):
    """Whether the process is alive, or is ready to serve."""

    status: str


class JsonWebKey(BaseModel):
    """A public key (RFC 7517, RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class JsonWebKeys(BaseModel):
    """The public keys that verify tokens."""

    keys: list[JsonWebKey]


@routes.add("GET /", produces=HTML, anonymous=True)
async def get_front_page(context: RequestContext) -> Response:
    """Return a page with links to start from."""
    return front_page(context.services.settings.effective_public_url)


@routes.add("GET /api/versions", anonymous=True)
async def get_versions(context: RequestContext) -> Versions:
    """Return the versions of the API, the platform and the contract with apps."""
    today = context.services.clock.now().astimezone(UTC).date()
    base = context.services.settings.effective_public_url
    return Versions(
        api=[each.name for each in API_VERSIONS if each.stage(today) is not Stage.SUNSET],
        versions=[_api_version(each, today, base) for each in API_VERSIONS],
        platform=version("mymozhem"),
        contract=str(CONTRACT_VERSION),
        python=platform.python_version(),
    )


def _api_version(version: ApiVersion, today: date, base: str) -> ApiVersionView:
    return ApiVersionView(
        version=version.name,
        status=version.stage(today),
        active=version.active,
        maintenance=version.maintenance,
        deprecated=version.deprecated,
        sunset=version.sunset,
        guide=version.link(base) if version.guide else None,
    )


@routes.add("GET /health/live", anonymous=True)
async def get_liveness(_: RequestContext) -> Health:
    """Respond if the process is alive; nothing else is checked."""
    return Health(status="live")


@routes.add("GET /health/ready", anonymous=True)
async def get_readiness(context: RequestContext) -> Health:
    """Check whether requests can be served.

    The database responds, its clock matches ours, and it is known which tokens were revoked.
    """
    skew = await context.services.database.clock_skew()
    await context.services.database.now()
    if abs(skew.total_seconds()) > MOST_SKEW_SECONDS:
        message = "The clock of the database and that of this machine differ; set them."
        raise Unavailable(message, code="CLOCK_SKEW")
    if context.services.revocations.age > NOT_READY_AFTER:
        message = "It has not been known for a while which tokens were revoked."
        raise Unavailable(message, code="REVOCATIONS_UNKNOWN")
    return Health(status="ready")


@routes.add(
    "GET /.well-known/jwks.json", produces="application/json", anonymous=True, shape=JsonWebKeys
)
async def get_jwks(context: RequestContext) -> Response:
    """Return the public keys that verify tokens."""
    return _document(orjson.dumps(context.services.keys.jwks()))


@routes.add(
    "GET /openapi.json", produces="application/json", anonymous=True, shape={"type": "object"}
)
async def get_openapi(_: RequestContext) -> Response:
    """Return the description of this API, in OpenAPI 3.1."""
    return _document(await _described(_encoded))


@routes.add("GET /docs", produces=HTML, anonymous=True)
async def get_docs(_: RequestContext) -> Response:
    """Return this description as a page."""
    return docs_page(await _described(docs_html))


async def _described(form: Callable[[JsonObject], bytes]) -> bytes:
    """Return the description in a form; it is made once, by the first request for it."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  the proxy has no public way to its object
    made: dict[object, asyncio.Future[bytes]] = app.extensions.setdefault(_FORMS, {})
    if form not in made or _has_failed(made[form]):
        work = asyncio.to_thread(lambda: form(openapi_document(app)))
        made[form] = asyncio.ensure_future(work)
    return await asyncio.shield(made[form])


def _has_failed(made: "asyncio.Future[bytes]") -> bool:
    return made.done() and (made.cancelled() or made.exception() is not None)


def _encoded(document: JsonObject) -> bytes:
    return orjson.dumps(document)


def _document(document: bytes) -> Response:
    response = Response(document, content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
