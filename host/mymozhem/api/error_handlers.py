"""One body for every error, from any part of the code; no client ever gets a stack trace."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from quart import Quart, Response
from werkzeug.exceptions import HTTPException

from mymozhem.errors import Busy, Invalid, MymozhemError

from .json_provider import dumps

logger = structlog.stdlib.get_logger(__name__)

#: errors that the server itself returns, before any of our code runs
_CODES = {
    400: ("BAD_REQUEST", "The request could not be read; check its syntax."),
    404: ("NOT_FOUND", "There is nothing here under that address."),
    405: ("METHOD_NOT_ALLOWED", "This address does not take that method; see Allow."),
    408: ("TIMEOUT", "The request took too long to arrive."),
    413: ("TOO_LARGE", "The request is larger than the limit."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send JSON, with the content type application/json."),
    431: ("HEAD_TOO_LARGE", "The headers of the request are larger than the limit."),
    503: (
        "TOO_MANY_CONNECTIONS",
        "Too many connections are open; close some, or try again in a moment.",
    ),
}
_INTERNAL = "Something broke on our side; search the log for the request id."
RETRY_SECONDS = 1
#: the maximum number of problems that a response lists
MAX_LISTED = 200


class Fault(BaseModel):
    """An error: a code for programs, a sentence for people, and facts."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    code: str = Field(examples=["VALIDATION"])
    message: str
    details: dict[str, JsonValue] = Field(
        default={}, description="Facts; `fields` maps a field's JSON pointer to its problems."
    )


class ErrorBody(BaseModel):
    """The body of every response that is not a success."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    error: Fault


def install(app: Quart) -> None:
    """Let an app respond to every error with this body."""
    app.register_error_handler(MymozhemError, _known)
    app.register_error_handler(HTTPException, _from_server)
    app.register_error_handler(Exception, _unknown)


def respond(error: MymozhemError) -> Response:
    """Return the response for an error of ours, with the headers that its status requires."""
    body = error_body(error.code, error.message, pointed(error.details))
    response = Response(dumps(body), status=error.status, content_type="application/json")
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(error.details.get("retryAfter", RETRY_SECONDS))
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers.update({name: str(value) for name, value in _waits(error).items()})
    return response


def server_error(status: int) -> tuple[str, str]:
    """Return code and message of an error that the server returns before the application runs."""
    return _CODES[status]


def error_body(code: str, message: str, details: Mapping[str, object]) -> dict[str, object]:
    """Return the body of an error."""
    return {"error": {"code": code, "message": message, "details": dict(details)}}


def pointed(details: Mapping[str, object]) -> dict[str, object]:
    """Return details in which every field's path is a JSON pointer."""
    fields = details.get("fields")
    if not isinstance(fields, Mapping):
        return dict(details)
    found = {str(path): problems for path, problems in fields.items()}
    return {
        **details,
        "fields": {
            path if path.startswith("/") or not path else f"/{path}": problems
            for path, problems in found.items()
        },
    }


def invalid(error: ValidationError, *, at: str = "") -> Invalid:
    """Convert pydantic's errors into `Invalid`: a pointer for each field, and its problems.

    Too many problems are only counted, because listing them would take longer than causing them,
    and anybody can send such a request.
    """
    count = error.error_count()
    if count > MAX_LISTED:
        return Invalid(fields={at or "/": [f"{count:,} values in here are wrong or unknown."]})
    fields: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = at + "".join(f"/{_escaped(part)}" for part in problem["loc"])
        fields.setdefault(pointer or "/", []).append(problem["msg"])
    return Invalid(fields=fields)


def _escaped(part: str | int) -> str:
    return str(part)[:100].replace("~", "~0").replace("/", "~1")


def _waits(error: MymozhemError) -> dict[str, object]:
    names = {
        "retryAfter": "Retry-After",
        "limit": "X-RateLimit-Limit",
        "remaining": "X-RateLimit-Remaining",
        "reset": "X-RateLimit-Reset",
    }
    known = {header: error.details[fact] for fact, header in names.items() if fact in error.details}
    return {"Retry-After": RETRY_SECONDS} | known


async def _known(error: MymozhemError) -> Response:
    # Anybody can cause as many `Busy` as they like, so they must not fill the log.
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, Busy):
        logger.warning("request.failed", code=error.code, message=error.message)
    return respond(error)


async def _from_server(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return await _unknown(error)
    code, message = _CODES.get(status, ("BAD_REQUEST", error.name))
    response = Response(
        dumps(error_body(code, message, {})), status=status, content_type="application/json"
    )
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers["Allow"] = value
    return response


async def _unknown(error: Exception) -> Response:
    logger.error("request.broke", exc_info=error)
    body = error_body("INTERNAL", _INTERNAL, {})
    return Response(dumps(body), status=500, content_type="application/json")
