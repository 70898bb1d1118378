"""Renew, list and end sessions."""

from typing import Literal

from quart import request

from mymozhem.api.authentication import bearer_token
from mymozhem.api.idempotency import Repeat
from mymozhem.api.refresh_cookies import device_of, hand_out, read_cookie, remove_cookie
from mymozhem.api.request_models import LogoutBody, RefreshBody
from mymozhem.api.request_parsing import Query
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.principal import Principal
from mymozhem.auth.session_views import Session
from mymozhem.errors import Unauthenticated
from mymozhem.rooms.views.base import Deleted, Timestamp, View, deleted

routes = Routes("sessions", "The caller's sessions: renewed, listed, ended.")


class Renewal(View):
    """A new access token; `expiresIn` in seconds.

    `refreshToken` replaces the one that was sent. It is null for the host's own pages, which get it
    as a cookie.
    """

    access_token: str
    refresh_token: str | None
    expires_in: int


class SignedOut(View):
    """The session has ended, or there was none."""

    success: Literal[True]


class SessionView(View):
    """A session; `current` is the one that the request belongs to."""

    id: str
    current: bool
    device_info: str | None
    ip_address: str | None
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp


class SessionsEnded(View):
    """The number of sessions that were ended."""

    success: Literal[True]
    ended: int


class WhichSessions(Query):
    """Whether only the other sessions end, and the current one stays."""

    others: bool = False


@routes.add(
    "POST /auth/refresh", anonymous=True, repeat=Repeat.FREE, refuses=frozenset({401, 403, 429})
)
async def refresh_token(context: RequestContext, body: RefreshBody) -> Renewal:
    """Exchange a refresh token for a new access token and the next refresh token.

    Each refresh token works once. If its response was lost, it gives the same successor again for
    ten seconds. A refresh token that is used again later ends its session.
    """
    host = context.host
    token = body.refresh_token or read_cookie(context) or ""
    try:
        renewed = await context.services.sessions.refresh(token, device_of(context))
    except Unauthenticated:
        remove_cookie(context)
        host.limits.count_failure("refresh", context.address)
        raise
    issued = host.tokens.issue(renewed.user, session_id=renewed.session_id)
    return Renewal(
        access_token=issued.access_token,
        refresh_token=hand_out(context, renewed),
        expires_in=issued.expires_in,
    )


@routes.add("POST /auth/logout", anonymous=True, repeat=Repeat.FREE, refuses=frozenset({403}))
async def log_out(context: RequestContext, body: LogoutBody) -> SignedOut:
    """End the session of the access token, the refresh token or the cookie. Idempotent.

    The access token may have expired; without any token nothing ends.
    """
    access = bearer_token(request.headers)
    caller = context.host.tokens.verify_expired(access) if access is not None else None
    person = caller if isinstance(caller, Principal) else None
    token = body.refresh_token or read_cookie(context)
    await context.services.sessions.log_out(person, token)
    remove_cookie(context)
    return SignedOut(success=True)


@routes.add("GET /auth/sessions")
async def list_sessions(context: RequestContext) -> list[SessionView]:
    """List the caller's sessions, the latest used first. A guest has none."""
    found = await context.services.sessions.list_sessions(context.caller)
    return [session_view(each, context.caller) for each in found]


@routes.add("DELETE /auth/sessions")
async def end_sessions(context: RequestContext, query: WhichSessions) -> SessionsEnded:
    """End all sessions of the caller, or with `others=true` all but the current one."""
    keep = context.caller.session_id if query.others else None
    ended = await context.services.sessions.end_all(context.caller, keep=keep)
    return SessionsEnded(success=True, ended=ended)


@routes.add("DELETE /auth/sessions/{id}")
async def end_session(context: RequestContext, id: str) -> Deleted:
    """End one session of the caller: its access tokens are refused within a second."""
    return deleted(id, await context.services.sessions.end_one(context.caller, id))


def session_view(session: Session, caller: Principal) -> SessionView:
    """Return a session as its owner sees it."""
    return SessionView(
        id=session.id,
        current=session.id == caller.session_id,
        device_info=session.device_info,
        ip_address=session.ip_address,
        created_at=session.created_at,
        last_used_at=session.last_used_at,
        expires_at=session.expires_at,
    )
