"""An app as a web service on loopback, and the ways in which such a service breaks."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Any

import uvicorn

from mymozhem.contract.serve import serve
from mymozhem.contract.serving.asgi_messages import AsgiApp, Receive, Scope, Send

#: makes the web service of an app from the app and the keys of the platform
Endpoint = Callable[[object, Sequence[str]], AsgiApp]


class WireFault(StrEnum):
    """How a web service breaks before or behind its app."""

    ANSWERS_500 = "answers 500"  #: as servers do whose code failed
    ANSWERS_HTML = "answers HTML"  #: as proxies do whose server is gone
    DENIES = "denies"  #: 403: it does not let the platform in
    REDIRECTS = "redirects"  #: to an address inside
    CUTS_OFF = "cuts off"  #: the connection breaks in the middle of an answer
    HANGS = "hangs"  #: no answer
    FORGETS_THE_ID = "forgets the id"  #: the answer is to another question
    IS_DOWN = "is down"  #: nobody listens


class Front:
    """An ASGI application before the real one, which may be set later; `fault` breaks it."""

    def __init__(self) -> None:
        self.app: AsgiApp | None = None
        self.server = WebServer(self)
        self._fault: WireFault | None = None
        self._over = asyncio.Event()

    async def break_by(self, fault: WireFault | None) -> None:
        """Break in this way from now on, or work again; requests that hang are released."""
        self._over.set()
        self._over = asyncio.Event()
        if self._fault is WireFault.IS_DOWN:
            await self.server.start()
        self._fault = fault
        if fault is WireFault.IS_DOWN:
            await self.server.stop()

    async def close(self) -> None:
        """Release requests that hang, and stop listening."""
        self._over.set()
        await self.server.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or break."""
        if scope["type"] == "http" and self._fault is not None:
            await self._broken(self._fault, send)
        elif self.app is not None:
            await self.app(scope, receive, send)

    async def _broken(self, fault: WireFault, send: Send) -> None:
        if fault is WireFault.HANGS:
            await self._over.wait()
        if fault is WireFault.CUTS_OFF:
            await _start(send, 200, "application/json", (b"content-length", b"1000"))
            await send({"type": "http.response.body", "body": b'{"id":', "more_body": True})
            return  # uvicorn closes the connection of an answer that is not whole
        status, kind, body = _ANSWERS.get(fault, (500, "text/plain", b"broken"))
        location = (b"location", b"http://169.254.169.254/latest/meta-data")
        await _start(send, status, kind, location if status == 302 else None)  # noqa: PLR2004
        await send({"type": "http.response.body", "body": body})


_ANSWERS = {
    WireFault.ANSWERS_HTML: (200, "text/html", b"<h1>It works!</h1>"),
    WireFault.DENIES: (403, "application/json", b"{}"),
    WireFault.REDIRECTS: (302, "text/plain", b""),
    WireFault.FORGETS_THE_ID: (
        200,
        "application/json",
        b'{"id":"another","contract":"1.0","outcome":"ok","data":null}',
    ),
}


async def _start(send: Send, status: int, kind: str, *more: tuple[bytes, bytes] | None) -> None:
    headers = [(b"content-type", kind.encode()), *filter(None, more)]
    start: dict[str, object] = {
        "type": "http.response.start",
        "status": status,
        "headers": headers,
    }
    await send(start)


def by_contract(app: object, keys: Sequence[str]) -> AsgiApp:
    """Return the web service that `mymozhem app serve` makes of an app."""
    return serve(app, keys=keys)


class _Server(uvicorn.Server):
    """A server beside others in one process; it handles no signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and notify the waiting caller."""
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals."""
        yield


class WebServer:
    """Serves an application on a free port of this machine; stopped and started at will."""

    def __init__(self, app: AsgiApp) -> None:
        self._app: Any = app
        self._port = 0
        self._running: tuple[_Server, asyncio.Task[None], socket.socket] | None = None

    @property
    def address(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen; on the same port as before if it was stopped."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(128)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app, log_config=None, access_log=False, lifespan="off", ws="none", http="h11",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        self._running = (server, running, listener)
        await server.listening.wait()

    async def stop(self) -> None:
        """Close connections and stop listening; idempotent."""
        if self._running is None:
            return
        (server, running, listener), self._running = self._running, None
        server.should_exit = True
        await running
        listener.close()


@asynccontextmanager
async def listening(app: AsgiApp) -> AsyncIterator[WebServer]:
    """Serve an application while this lasts."""
    server = WebServer(app)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
