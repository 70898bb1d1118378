"""The figures of this process, for Prometheus."""

import hmac
from ipaddress import ip_address

from pydantic import SecretStr
from quart import Response, request

from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.errors import Forbidden, Unauthenticated
from mymozhem.observability.metrics import CONTENT_TYPE

routes = Routes("system", "Information about the platform.")
#: headers that a proxy adds: then the peer's address is not the client's
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@routes.add(
    "GET /metrics", produces="text/plain", anonymous=True, refuses=frozenset({401, 403, 429})
)
async def get_metrics(context: RequestContext) -> Response:
    """Return the figures of this process in the text format of Prometheus.

    If the operator has set a token, callers need it. Otherwise only this machine may call, and not
    through a proxy.
    """
    token = context.services.settings.metrics_token
    if token is not None:
        _require_token(token, context)
    elif not _is_here(context.address) or any(name in request.headers for name in _FORWARDED):
        raise Forbidden("Only this machine may read these figures; set MYMOZHEM_METRICS_TOKEN.")
    return Response(context.host.metrics.text(), content_type=CONTENT_TYPE)


def _require_token(token: SecretStr, context: RequestContext) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    wanted = token.get_secret_value().encode()
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), wanted):
        context.host.limits.count_failure("metrics", context.address)
        raise Unauthenticated("Send the token for metrics as `Authorization: Bearer …`.")


def _is_here(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
