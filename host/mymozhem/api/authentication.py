"""Who is asking, by the token alone: no query is made to find out."""

from werkzeug.datastructures import Headers

from mymozhem.auth.principal import AnyPrincipal
from mymozhem.auth.tokens import Tokens
from mymozhem.errors import Unauthenticated


def principal_of(headers: Headers, tokens: Tokens) -> AnyPrincipal | None:
    """Return who a request speaks for; None where it carries no token.

    Raises `Unauthenticated` for a token that is not good, on every route: whoever sends one learns
    that it is over, instead of being taken for a stranger.
    """
    given = headers.get("Authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token:
        message = "Send the token as `Authorization: Bearer …`."
        raise Unauthenticated(message, code="TOKEN_INVALID")
    return tokens.verify(token.strip())
