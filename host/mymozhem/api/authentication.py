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
    given = headers.get("Authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token:
        message = "Send the token as `Authorization: Bearer …`."
        raise Unauthenticated(message, code="TOKEN_INVALID")
    return tokens.verify(token.strip())
