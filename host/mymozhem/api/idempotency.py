"""Requests that a client may repeat: the same key gives the same response, and one effect."""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from http import HTTPStatus

import orjson
from quart import Request

from mymozhem.auth.principal import AnyPrincipal
from mymozhem.errors import BadRequest, MymozhemError
from mymozhem.idempotency.keys import AlreadyDone, Claim, Kept, complete, release, reserve
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.services import Services

from .error_handlers import error_body, pointed
from .responses import Reply

HEADER = "Idempotency-Key"
#: a key is 1 to 128 visible ASCII characters
_KEY = re.compile(r"[!-~]{1,128}")
_MAX_ROUTE = 200
#: how much of the digest of an anonymous caller's body fits into the column of the caller
_CALLER_HEX = 48


class Repeat(Enum):
    """How the host handles a repeated request with the same key."""

    SAME = auto()  #: the response of the first one
    SECRET = auto()  #: that it was done; the response held a secret, and was not stored
    FREE = auto()  #: a new response; the operation is idempotent
    OWN = auto()  #: the use case decides: it stores the key with its effect


def key_of(request: Request) -> str | None:
    """Return the request's key; BadRequest if the key is invalid."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        message = f"{HEADER} takes 1 to 128 visible ASCII characters."
        raise BadRequest(message, code="BAD_IDEMPOTENCY_KEY")
    return key


def claim_of(
    services: Services, request: Request, principal: AnyPrincipal | None, body: bytes
) -> Claim | None:
    """Return the claim on a request's key; None without a key.

    A key belongs to its caller and route. Anonymous callers do not know each other's keys, so
    theirs belong to a route and a body. The digest of the body is keyed, because a body may hold a
    password. BadRequest for a key that is not 1 to 128 visible ASCII characters.
    """
    key = key_of(request)
    if key is None:
        return None
    route = f"{request.method} {request.path}"
    if len(route) > _MAX_ROUTE:
        route = hashlib.sha256(route.encode()).hexdigest()
    said = request.query_string + b"\0" + body
    digest = hmac.digest(services.keys.derive("idempotency"), said, "sha256").hex()
    caller = principal.subject if principal else f"anonymous {digest[:_CALLER_HEX]}"
    return Claim(caller, route, key, digest)


async def once(
    services: Services, claim: Claim, work: Callable[[], Awaitable[Reply]], *, repeat: Repeat
) -> Reply:
    """Run `work` once for its key, or return the stored response of the first run.

    Client errors are stored like responses, because they would occur again; ROOM_BUSY, 429 and 5xx
    are not. Raises: see `reserve`, if the first run is still in progress or was lost.
    """
    kept = await reserve(services.database, claim, hours=services.settings.idempotency_hours)
    if kept is not None:
        return _replayed(kept)
    try:
        answer = await work()
    except MymozhemError as error:
        if _passes(error):
            await release(services.database, claim)
        else:
            await complete(services.database, claim, _kept_error(error))
        raise
    except BaseException:  # cancelled or failed: either it was not done, or it is marked as done
        await release(services.database, claim)
        raise
    kept = _kept(answer) if repeat is Repeat.SAME else _kept_error(AlreadyDone())
    await complete(services.database, claim, kept)
    return answer


def _passes(error: MymozhemError) -> bool:
    ours = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ours or error.status == HTTPStatus.TOO_MANY_REQUESTS or isinstance(error, RoomBusy)


def _kept(answer: Reply) -> Kept:
    body = orjson.loads(answer.body) if answer.body else None
    return Kept(answer.status, {"headers": answer.headers, "body": body})


def _kept_error(error: MymozhemError) -> Kept:
    body = error_body(error.code, error.message, pointed(error.details))
    return Kept(
        error.status, orjson.loads(orjson.dumps({"headers": {}, "body": body}, default=str))
    )


def _replayed(kept: Kept) -> Reply:
    stored = kept.body if isinstance(kept.body, dict) else {}
    body, headers = stored.get("body"), dict(stored.get("headers") or {})
    encoded = b"" if body is None else orjson.dumps(body)
    return Reply(kept.status, encoded, headers | {"Idempotency-Replayed": "true"})
