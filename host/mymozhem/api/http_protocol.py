"""Uvicorn's HTTP protocol with limits that it lacks: on heads, on time and on connections.

The limits hold before a request reaches the application, so nobody can use up memory, time of the
event loop or file descriptors with what is no request yet:

- a request line and headers of too many bytes or lines are 431, also in trailers;
- a request that does not arrive in time is 408, and a client that does not read is disconnected;
- there are so many connections and no more (see `Connections`).

It relies on internals of uvicorn, whose version is locked; `tests/api/test_connections.py` holds it
against a real server.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import ClassVar, cast

import httptools
from uvicorn import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from .connections import Connections
from .error_handlers import RETRY_SECONDS, error_body, server_error
from .json_provider import dumps
from .middleware import HEADER, request_id

#: bytes that are parsed before the limits are checked again
PIECE = 16 * 1024
#: requests that may arrive before the first of them is answered
MOST_PIPELINED = 32
#: bytes of a body that are read and dropped, because the response has been sent already
MOST_DROPPED = 8 * 1024 * 1024
#: seconds, and bytes, for which the rest of a refused request is read and dropped; closing a
#: connection with unread data would make the client lose the response
LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class HttpLimits:
    """The limits of a server; `body_seconds` is also how long a client may not read a response."""

    head_bytes: int = 32 * 1024
    header_lines: int = 100
    head_seconds: float = 10
    body_seconds: float = 60
    connections: int = 8_000
    connections_per_address: int = 4_000


class _Phase(Enum):
    """The part of a request that comes next."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()


class _Refused(Exception):
    """The parser must stop; `GuardedProtocol._refusal` says why."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. `limits` and `all` are those of the server."""

    limits: ClassVar[HttpLimits]
    all: ClassVar[Connections]

    def __init__(self, *args: object, **more: object) -> None:
        """Take what uvicorn gives to its protocols."""
        super().__init__(*args, **more)  # type: ignore[arg-type]  # passed on as they are
        self._phase = _Phase.BETWEEN
        self._header_lines = 0
        self._head_bytes = 0
        self._body_bytes = 0
        self._other_bytes = 0
        self._dropped_bytes = 0
        self._began = False
        self._refusal = HTTPStatus.BAD_REQUEST
        self._lingering = False
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin, unless there are too many connections."""
        super().connection_made(transport)
        if self.all.add(self, self.client[0] if self.client else "", self.loop.time()):
            self._start_timer(self.limits.head_seconds)
        elif self.all.answers_refused:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, however the connection was closed."""
        self.all.remove(self)
        self._stop_timer()
        self._stop_write_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived, and check the limits after every piece."""
        if self._lingering:
            self._drop(len(data))
            return
        self._unset_keepalive_if_required()
        for piece in _pieces(data):
            if not self._parse(piece):
                return
        self._watch()

    def _parse(self, piece: bytes | memoryview) -> bool:
        """Parse one piece; return False if the rest must not be parsed."""
        body_before, self._began = self._body_bytes, False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self._stop_timer()
                self.all.remove(self)
                self.handle_websocket_upgrade()
            return False
        except httptools.HttpParserError:
            self._refuse(self._refusal)
            return False
        if not self._began:  # of a request that began in this piece, the piece is not counted
            self._other_bytes += len(piece) - (self._body_bytes - body_before)
        if self._other_bytes > self.limits.head_bytes + self._body_bytes:
            too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self._refuse(too_large if self._phase is _Phase.HEAD else HTTPStatus.BAD_REQUEST)
            return False
        return True

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self.pipeline) >= MOST_PIPELINED:
            raise _Refused
        super().on_message_begin()
        self._phase, self._began = _Phase.HEAD, True
        self._header_lines = self._head_bytes = self._body_bytes = self._other_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Add a part of the address."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header or a trailer."""
        self._header_lines += 1
        self._count_head(len(name) + len(value))
        super().on_header(name, value)

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if (
            self._header_lines > self.limits.header_lines
            or self._head_bytes > self.limits.head_bytes
        ):
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _Refused

    def on_headers_complete(self) -> None:
        """Let the application begin with the request."""
        self._stop_timer()
        self._phase = _Phase.BODY
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        self._body_bytes += len(body)
        cycle = self._current
        if cycle is not None and cycle.response_complete:
            self._dropped_bytes += len(body)
            if self._dropped_bytes > MOST_DROPPED:
                raise _Refused
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; the client waits for the response now."""
        self._stop_timer()
        self._phase = _Phase.BETWEEN
        super().on_message_complete()
        if self._is_answering:
            self.all.is_busy(self)

    def on_response_complete(self) -> None:
        """End a response; the server waits for the next request now, unless it is there already."""
        super().on_response_complete()
        if not self._is_answering:
            self.all.is_idle(self)

    def pause_writing(self) -> None:
        """Wait until the client reads, but not forever."""
        super().pause_writing()
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(self.limits.body_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        self._stop_write_timer()
        super().resume_writing()

    def shutdown(self) -> None:
        """Close the connection as soon as what it is answering is answered."""
        if self._lingering or (self._phase is not _Phase.BETWEEN and not self._is_processing):
            self.transport.abort()
        else:
            super().shutdown()

    def evict(self) -> None:
        """Close the connection for a new one."""
        if self._phase is _Phase.BETWEEN and not self._lingering:
            self.transport.close()
        else:
            self.transport.abort()

    @property
    def _is_answering(self) -> bool:
        """Whether the application is working for this connection."""
        cycle = self._current
        return cycle is not None and not cycle.response_complete

    @property
    def _current(self) -> RequestResponseCycle | None:
        """The newest request; None before the first one, which uvicorn's annotation leaves out."""
        return self.cycle

    @property
    def _is_processing(self) -> bool:
        """Whether a request that has arrived as a whole is being answered."""
        return self._is_answering and (self._phase is not _Phase.BODY or bool(self.pipeline))

    def _watch(self) -> None:
        """Start the timer if the rest of a request is missing, or a request at all."""
        if self._timer is not None:
            return
        if self._phase is _Phase.BODY:
            self._start_timer(self.limits.body_seconds)
        elif self._phase is _Phase.HEAD or not self._is_answering:
            self._start_timer(self.limits.head_seconds)

    def _expire(self) -> None:
        """Handle the end of the time for a part of a request."""
        self._timer = None
        if self._is_processing or (self._phase is _Phase.BODY and self.flow.read_paused):
            self._watch()  # the server itself does not read on, or is not ready for the next
        elif self._phase is _Phase.BETWEEN:
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        """Send an error and close the connection; without it, if another response is under way."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self._is_processing or (self._is_answering and self.cycle.response_started):
            self.transport.abort()
            return
        if self._is_answering:
            self.cycle.disconnected = True  # the application is notified that the client is gone
            self.cycle.message_event.set()
        if self._phase is _Phase.BODY and not self._is_answering:
            self.transport.close()  # its response was sent before
            return
        self.transport.write(self._error(status))
        self._linger()

    def _error(self, status: HTTPStatus) -> bytes:
        code, message = server_error(status)
        body = dumps(error_body(code, message, {}))
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (HEADER.lower().encode(), request_id(None).encode()),
            (b"connection", b"close"),
        ]
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
        lines = (name + b": " + value + b"\r\n" for name, value in headers)
        return b"".join((STATUS_LINE[status], *lines, b"\r\n", body))

    def _linger(self) -> None:
        """Read and drop what the client still sends, for a moment, and close the connection."""
        self._lingering = True
        self._dropped_bytes = 0
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _drop(self, size: int) -> None:
        self._dropped_bytes += size
        if self._dropped_bytes > LINGER_BYTES:
            self.transport.abort()

    def _start_timer(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._expire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def guard(config: Config, limits: HttpLimits) -> Connections:
    """Let a server use the protocol with these limits; return its connections.

    Per address, connections are not limited for the proxies that uvicorn trusts
    (`FORWARDED_ALLOW_IPS`).
    """
    trusted = ProxyHeadersMiddleware(_nothing, config.forwarded_allow_ips).trusted_hosts
    connections = Connections(
        most=limits.connections, per_address=limits.connections_per_address, trusted=trusted
    )
    members = {"limits": limits, "all": connections}
    config.http = cast("type[asyncio.Protocol]", type("Guarded", (GuardedProtocol,), members))
    return connections


async def _nothing(*_: object) -> None:
    """Stand in for an application; it is never called."""


def _pieces(data: bytes) -> Iterator[bytes | memoryview]:
    if len(data) <= PIECE:
        yield data
        return
    whole = memoryview(data)
    for start in range(0, len(data), PIECE):
        yield whole[start : start + PIECE]
