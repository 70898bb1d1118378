"""The errors of the platform: one class for each thing that a caller may handle differently.

::

    MymozhemError
    ├── BadRequest            400  the message itself is malformed
    ├── Unauthenticated       401  no valid token
    ├── Forbidden             403  known, but not allowed
    ├── NotFound              404  absent, or not visible to this caller
    ├── Conflict              409  the state changed a moment ago, or does not allow this
    │   └── Refused           409  the app refused, with its own code and message
    ├── Gone                  410  existed once, is over
    ├── TooLarge              413
    ├── UnsupportedMediaType  415
    ├── Invalid               422  well-formed, but a field breaks its rule
    ├── TooManyRequests       429
    ├── HostFault             500  an error of the host
    └── Unavailable           503  try again later
        └── Busy              503  too many do the same; nothing is wrong with the host

Every error has a code (for programs), a sentence (for people: what happened, what to do now) and
details (facts). No client ever gets a stack trace.
"""

from collections.abc import Mapping
from typing import ClassVar


class MymozhemError(Exception):
    """The platform could not do what was requested; `code`, `message` and `details` say why."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.message = message or (type(self).__doc__ or "").split("\n", 1)[0]
        self.code = code or self.default_code
        self.details: dict[str, object] = dict(details or {})
        super().__init__(self.message)


class BadRequest(MymozhemError):
    """The request could not be read; check its syntax."""

    status = 400
    default_code = "BAD_REQUEST"


class Unauthenticated(MymozhemError):
    """Sign in first; the token is missing, expired or not ours."""

    status = 401
    default_code = "UNAUTHENTICATED"


class Forbidden(MymozhemError):
    """You may not do this here."""

    status = 403
    default_code = "FORBIDDEN"


class NotFound(MymozhemError):
    """There is nothing here under that name."""

    status = 404
    default_code = "NOT_FOUND"


class Conflict(MymozhemError):
    """This cannot be done in the present state; reload and decide again."""

    status = 409
    default_code = "CONFLICT"


class Refused(Conflict):
    """The app refused."""

    default_code = "REFUSED"


class Gone(MymozhemError):
    """This existed once and is over."""

    status = 410
    default_code = "GONE"


class TooLarge(MymozhemError):
    """The request is larger than the limit."""

    status = 413
    default_code = "TOO_LARGE"


class UnsupportedMediaType(MymozhemError):
    """Send JSON, with the content type application/json."""

    status = 415
    default_code = "UNSUPPORTED_MEDIA_TYPE"


class Invalid(MymozhemError):
    """A field breaks its rule; `details.fields` maps each field's path to its problems."""

    status = 422
    default_code = "VALIDATION"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        merged: dict[str, object] = dict(details or {})
        if fields is not None:
            merged["fields"] = {path: list(problems) for path, problems in fields.items()}
        super().__init__(message, code=code, details=merged)


class TooManyRequests(MymozhemError):
    """Too many requests; wait for the seconds that Retry-After names."""

    status = 429
    default_code = "RATE_LIMITED"


class HostFault(MymozhemError):
    """Something broke on our side; search the log for the request id."""

    status = 500
    default_code = "INTERNAL"


class Unavailable(MymozhemError):
    """The platform cannot do this right now; nothing was changed. Try again in a moment."""

    status = 503
    default_code = "UNAVAILABLE"


class Busy(Unavailable):
    """The host is busy with other requests of this kind; try again in a few seconds."""

    default_code = "BUSY"
