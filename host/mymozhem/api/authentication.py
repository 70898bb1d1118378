"""Authenticate a request by its token alone, without a query."""

from werkzeug.datastructures import Headers

from mymozhem.auth.principal import AnyPrincipal
from mymozhem.auth.tokens import Tokens
from mymozhem.errors import Unauthenticated


def principal_of(headers: Headers, tokens: Tokens) -> AnyPrincipal | None:
    """Return the principal of a request's token; None without a token.

    Raises `Unauthenticated` for an invalid or expired token, on every route. So the client learns
    that its token is over, instead of being treated as anonymous.
    """
    if "Authorization" not in headers:
        return None
    token = bearer_token(headers)
    if token is None:
        message = "Send the token as `Authorization: Bearer …`."
        raise Unauthenticated(message, code="TOKEN_INVALID")
    return tokens.verify(token)


def bearer_token(headers: Headers) -> str | None:
    """Return the token of a request, which may be invalid; None without one."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None
