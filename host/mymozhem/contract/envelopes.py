"""The request to a remote app and its reply: one JSON object each way, signed as a whole.

Every attempt of the same call has the same `id`, `context` (except `deadlineMs`) and `request`;
only `attempt` and `budgetMs` differ. So an app replies to a known id as it did before.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from .wire import Id, JsonObject, Moment, ShortText, Wire

#: the maximum size of a request and of a reply, in bytes
MAX_BODY_BYTES = 1024 * 1024

CONTENT_TYPE = "application/json"

#: the shortest timeout of a remote app
MIN_REMOTE_MS = 2_000

# The first platform's headers, in addition to those of Standard Webhooks.
REQUEST_ID_HEADER = "x-request-id"
TIMEOUT_HEADER = "x-timeout-ms"
ATTEMPT_HEADER = "x-retry-attempt"
MAX_ATTEMPTS_HEADER = "x-max-attempts"


class Mode(StrEnum):
    """What the host does with the reply."""

    LIVE = "live"  #: it is applied
    DRY_RUN = "dryRun"  #: it is shown to the user of a trial, and never applied
    REPLAY = "replay"  #: it is compared with an earlier reply, and never applied


class ListRef(Wire):
    """A list too long for the body: fetch the signed `url` with GET before `expires_at`.

    The response is JSON that takes the place of this object. `digest` is the lower-case hex SHA-256
    of its bytes; `count` is how many rows the list has.
    """

    url: str
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    count: int
    expires_at: Moment


class RequestEnvelope(Wire):
    """A call of a hook of a remote app; `context` and `request` are those of the hook.

    `attempt` counts from 1, `budget_ms` is what is left of the caller's time, and `occurred_at` is
    when the subject of the call happened. `lists` names the places (JSON Pointers into this object)
    that hold a `ListRef` instead of the list. The first platform's fields follow, for apps that
    know no others: `request_id`, `room_id`, `participants`, `prizes`, `app_settings`.
    """

    id: Id
    hook: str
    contract: str
    attempt: int = 1
    budget_ms: int
    mode: Mode = Mode.LIVE
    occurred_at: datetime
    context: JsonObject
    request: JsonObject
    lists: tuple[str, ...] = ()
    request_id: str | None = None
    room_id: str | None = None
    participants: tuple[JsonObject, ...] | None = None
    prizes: tuple[JsonObject, ...] | None = None
    app_settings: JsonObject | None = None


class _Reply(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        defer_build=True,
    )


class ReplyEnvelope(_Reply):
    """A remote app's reply: `data` is the hook's result, or a `Refusal` if the app refuses.

    `id` is that of the request; `lock` is the digest of the room's lock that the app received.
    """

    id: str
    contract: str
    lock: str | None = None
    outcome: Literal["ok", "refuse"] = "ok"
    data: JsonValue = None


class PlatformError(_Reply):
    """Why an app of the first platform did not return a result."""

    code: ShortText = "ERROR"
    message: str = ""
    retryable: bool = False


class PlatformReply(_Reply):
    """A reply in the format of the first platform; the result is `data`."""

    success: bool
    data: JsonValue = None
    error: PlatformError | None = None
