"""The small part of HTTP over ASGI that a signed endpoint needs."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field

from mymozhem.contract.envelopes import CONTENT_TYPE, MAX_BODY_BYTES
from mymozhem.contract.wire import JsonObject

#: the maximum time for the body of a request to arrive
BODY_SECONDS = 30

Scope = MutableMapping[str, object]
Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Response:
    """A status, a JSON body as bytes, and headers in addition to the standard ones."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Problem(Exception):
    """The request fails; status, code and sentence become the response."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        super().__init__(f"{code}: {message}")

    def response(self) -> Response:
        """Return the response: `{"error": {"code", "message"}}`."""
        body: JsonObject = {"error": {"code": self.code, "message": self.message}}
        return Response(self.status, as_json(body), self.headers)


def as_json(value: JsonObject) -> bytes:
    """Return an object as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by their lower-case names; the last one wins if a name is repeated."""
    raw = scope.get("headers")
    pairs: Iterable[tuple[bytes, bytes]] = raw if isinstance(raw, list | tuple) else ()
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


async def read_body(
    headers: Mapping[str, str], receive: Receive, most: int = MAX_BODY_BYTES
) -> bytes | None:
    """Return the body of a request; None if the client disconnected.

    Raises `Problem`: 413 beyond `most` bytes, 408 if the body takes longer than 30 s to arrive.
    """
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:12]) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _gather(receive, most)
    except TimeoutError:
        raise Problem(408, "TIMEOUT", "The request took too long to arrive.") from None


async def _gather(receive: Receive, most: int) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body")
        body += chunk if isinstance(chunk, bytes) else b""
        if len(body) > most:
            raise _too_large(most)
        if not message.get("more_body"):
            return bytes(body)


def _too_large(most: int) -> Problem:
    message = f"The request is larger than {most} bytes."
    return Problem(413, "TOO_LARGE", message, headers={"connection": "close"})


async def respond(send: Send, response: Response, *, with_body: bool = True) -> None:
    """Send a response; without the body for HEAD."""
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(response.body)),
        "cache-control": "no-store",
        **response.headers,
    }
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    start: Message = {"type": "http.response.start", "status": response.status, "headers": pairs}
    await send(start)
    await send({"type": "http.response.body", "body": response.body if with_body else b""})
