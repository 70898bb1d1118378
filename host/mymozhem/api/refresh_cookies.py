"""Hand out refresh tokens: as a cookie to the host's own pages, in the body to other clients."""

from datetime import timedelta

from quart import after_this_request, request
from quart.typing import ResponseTypes

from mymozhem.auth.refresh_cookie import RefreshCookie
from mymozhem.auth.sessions import Device, Renewed
from mymozhem.errors import Forbidden

from .request_pipeline import RequestContext


def device_of(context: RequestContext) -> Device:
    """Return where a request comes from."""
    return Device(request.headers.get("User-Agent"), context.address or None)


def hand_out(context: RequestContext, renewed: Renewed) -> str | None:
    """Return a refresh token for the body; None for the host's own pages, which get a cookie."""
    cookie = RefreshCookie(context.services.settings)
    if not cookie.is_for(request.headers.get("Origin")):
        return renewed.refresh_token
    lasts = timedelta(days=context.services.settings.refresh_token_days)
    _set(cookie, renewed.refresh_token, lasts)
    return None


def read_cookie(context: RequestContext) -> str | None:
    """Return the refresh token of the cookie; None without one.

    Raises `Forbidden` ORIGIN_REFUSED unless the request comes from a page of the host's own.
    """
    cookie = RefreshCookie(context.services.settings)
    token = request.cookies.get(cookie.name)
    if token is not None and not cookie.is_for(request.headers.get("Origin")):
        raise Forbidden("Only the host's own pages may use the cookie.", code="ORIGIN_REFUSED")
    return token


def remove_cookie(context: RequestContext) -> None:
    """Let the browser forget the cookie."""
    cookie = RefreshCookie(context.services.settings)
    if cookie.name in request.cookies:
        _set(cookie, "", timedelta(0))


def _set(cookie: RefreshCookie, value: str, lasts: timedelta) -> None:
    @after_this_request
    async def add(response: ResponseTypes) -> ResponseTypes:
        response.set_cookie(
            cookie.name, value, max_age=lasts, secure=cookie.secure, httponly=True, samesite="Lax"
        )
        return response
