"""Servers on loopback that answer as they like, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Heard:
    """A request: names of headers in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


Script = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """What a server was asked, over how many connections."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, count: int = 1) -> None:
        """Wait until so many requests have come."""
        while len(self.heard) < count:
            self.came.clear()
            await self.came.wait()


def answer(
    body: bytes = b"{}", *, status: str = "200 OK", kind: str = "application/json", **headers: str
) -> bytes:
    """Return a whole answer."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def says(*parts: bytes, then_close: bool = False) -> Script:
    """Write these bytes for every request, and close the connection after them, or do not."""

    async def script(_heard: Heard, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if then_close:
            writer.close()

    return script


async def hang(_heard: Heard, _writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


def drip(every: float = 0.05) -> Script:
    """Send a byte at a time, for ever."""

    async def script(_heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(every)

    return script


async def flood(_heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Send as fast as is taken, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        writer.write(b" " * 65_536)
        await writer.drain()


@asynccontextmanager
async def serving(script: Script, *, path: Path | None = None) -> AsyncIterator[Server]:
    """Serve a script, on a port or on a Unix socket."""
    server = Server("")
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        server.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                heard = await _heard(reader)
                server.heard.append(heard)
                server.came.set()
                await script(heard, writer)
        writer.close()

    if path is not None:
        listening = await asyncio.start_unix_server(serve, path)
        server.url = "http://app"
    else:
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


async def _heard(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.rstrip().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Heard(line, headers, body)
