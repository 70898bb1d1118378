"""Requests of a person with the token of an app beside their own, in `X-App-Token`."""

from collections.abc import Mapping

from quart import Request

from mymozhem.auth.access_rules import AppPermissionDenied
from mymozhem.auth.app_permissions import require_permission
from mymozhem.auth.principal import AnyPrincipal, AppPrincipal, Principal
from mymozhem.errors import BadRequest, Forbidden, Unauthenticated
from mymozhem.rooms.views.rooms import app_of_room

from .dependencies import ApiDependencies
from .routes import Route

HEADER = "X-App-Token"


async def require_app_allowed(
    host: ApiDependencies,
    route: Route,
    request: Request,
    principal: AnyPrincipal | None,
    path: Mapping[str, str],
) -> AppPrincipal | None:
    """Return the app on whose behalf a person calls; None without the header.

    Raises `Unauthenticated` for an invalid token, `Forbidden` APP_STOPPED, and
    `AppPermissionDenied` if a permission is missing, or if the room does not use the app.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return None
    app = host.tokens.verify(given.strip())
    if not isinstance(app, AppPrincipal):
        message = f"{HEADER} takes the token of an app, from POST /apps/token."
        raise Unauthenticated(message, code="TOKEN_INVALID")
    await require_valid_app(host, app)
    host.limits.count(app)
    if isinstance(principal, AppPrincipal):
        message = f"{HEADER} accompanies the token of a person; send an app's own token alone."
        raise BadRequest(message, code="TWO_APP_TOKENS")
    require_permission(route.endpoint, route.rule, app)
    if isinstance(principal, Principal) and route.path.startswith("/api/v1/rooms/{id}"):
        found = await app_of_room(host.services.database, path["id"])
        if found != app.app_id:
            message = "An app may act in rooms that use it, and in no others."
            raise AppPermissionDenied(app.permissions, app_id=app.app_id, message=message)
    return app


async def require_valid_app(host: ApiDependencies, app: AppPrincipal) -> None:
    """Return if the secret of an app's token is still valid.

    Raises `Forbidden` if the app is stopped, `NotFound` if it was deleted, `Unauthenticated`
    TOKEN_EXPIRED if its secret was revoked since.
    """
    catalog = host.services.catalog
    if not catalog.has_key(app.app_id, app.key_id):
        await catalog.refresh_if_news()  # another process may have created it just now
    if catalog.get(app.app_id).facts.stopped is not None:
        raise Forbidden("This app is stopped; ask the operator.", code="APP_STOPPED")
    if not catalog.has_key(app.app_id, app.key_id):
        message = "The secret of this token is no longer valid; sign in with the new one."
        raise Unauthenticated(message, code="TOKEN_EXPIRED")
