"""Sign in as a remote app."""

from mymozhem.auth.tokens import IssuedToken, Tokens
from mymozhem.errors import Forbidden, Unauthenticated
from mymozhem.registry import remote_apps
from mymozhem.registry.app_keys import SecretCheck

from .services import AppServices


async def sign_in_app(
    services: AppServices, app_id: str, secret: str, *, check: SecretCheck, tokens: Tokens
) -> IssuedToken:
    """Return a token with the permissions of the app's newest manifest.

    Raises `Unauthenticated` INVALID_CREDENTIALS, after the same time whatever is wrong, and
    `Forbidden` APP_STOPPED.
    """
    now = await services.database.now()
    async with services.database.read() as session:
        key_id = await remote_apps.matching_key(session, check, app_id, secret, now=now)
    if key_id is None:
        message = "App and secret do not belong together."
        raise Unauthenticated(message, code="INVALID_CREDENTIALS")
    await services.catalog.refresh_if_news()  # another process may have registered it
    app = services.catalog.get(app_id)
    if app.facts.stopped is not None:
        raise Forbidden(
            "This app is stopped; ask the operator of the platform.", code="APP_STOPPED"
        )
    return tokens.issue_app(app_id, app.newest().permissions, key_id=key_id)
