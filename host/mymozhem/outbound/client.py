"""The HTTP client behind `Outbound`: the library, and how it is used.

No redirects, no cookies, no proxies from the environment, no decompression, bounded reads. Each
app has a pool of its own, so that a slow app does not use up the connections of another.
"""

import asyncio
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from .answered import Answered
from .connector import SLACK_SECONDS, Opened, connector, is_forbidden, opening
from .errors import AddressForbidden, Unreachable, Unreadable
from .guard import Guard
from .resolver import Resolver

OK = 200
_REMEMBERED = 1_024
#: larger bodies are written in chunks, so that they do not block the event loop
_AT_ONCE_BYTES = 256 * 1024
_LEAST_SECONDS = 0.001  # 0 would mean no limit

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "mymozhem"}

#: errors of a connection that the other side has closed, perhaps before it read anything
_CUT = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientConnectionResetError)


class Client:
    """Sends requests and reads responses; see `Outbound`."""

    def __init__(self, guard: Guard, *, max_bytes: int, resolver: AbstractResolver | None) -> None:
        self._guard = guard
        self._resolver = resolver or Resolver()
        self._max_bytes = max_bytes
        self._pools: dict[str, aiohttp.ClientSession] = {}
        self._closed = False

    async def request(
        self,
        method: str,
        url: str,
        body: bytes,
        *,
        pool: str,
        headers: dict[str, str],
        seconds: float,
        socket: str | None = None,
    ) -> Answered:
        """Send a body and return the response; see `Outbound.post`."""
        ends = asyncio.get_running_loop().time() + seconds
        message = _Message(method, self._address(url, socket), body, _HEADERS | headers)
        opened = Opened(new=False)
        noted = opening.set(opened)
        try:
            if socket is not None:
                return await self._once(socket, message, seconds)
            try:
                return await self._ask(self._session(pool), message, seconds)
            except _CUT:
                if opened.new:
                    raise
            left = ends - asyncio.get_running_loop().time()
            return await self._once(None, message, left)
        except TimeoutError:
            raise
        except aiohttp.ClientConnectorError as error:
            if is_forbidden(error):
                raise AddressForbidden from error
            raise Unreachable from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            raise Unreachable from error
        except aiohttp.ClientError as error:
            raise Unreadable("The response is not HTTP, or its headers are too large.") from error
        finally:
            opening.reset(noted)

    async def close(self) -> None:
        """Close every connection; see `Outbound.close`."""
        self._closed = True
        sessions, self._pools = list(self._pools.values()), {}
        for session in sessions:
            await session.close()

    def _address(self, url: str, socket: str | None) -> URL:
        return URL(url) if socket is not None else self._guard.check_url(url)

    def _session(self, pool: str) -> aiohttp.ClientSession:
        session = self._pools.get(pool)
        if session is None:
            session = self._pools[pool] = self._new_session(None, lasting=True)
        return session

    def _new_session(self, socket: str | None, *, lasting: bool) -> aiohttp.ClientSession:
        if self._closed:
            raise Unreachable("The host is stopping; nothing more is sent.")
        return aiohttp.ClientSession(
            connector=connector(self._guard, self._resolver, socket, lasting=lasting),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def _once(self, socket: str | None, message: "_Message", seconds: float) -> Answered:
        """Send on a new connection: sockets exist only as long as the processes behind them."""
        async with self._new_session(socket, lasting=False) as fresh:
            return await self._ask(fresh, message, seconds)

    async def _ask(
        self, session: aiohttp.ClientSession, message: "_Message", seconds: float
    ) -> Answered:
        response = await session.request(
            message.method,
            message.url,
            data=_in_pieces(message.body) if message.body else None,
            headers=message.headers,
            allow_redirects=False,
            timeout=_timeout(max(seconds, _LEAST_SECONDS)),
        )
        try:
            content_type = response.headers.get("Content-Type", "").partition(";")[0]
            read = await self._read(response) if response.status == OK else b""
            return Answered(response.status, content_type.strip().lower(), read)
        finally:
            response.release()  # a connection with unread data is closed

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        coding = response.headers.get("Content-Encoding", "identity")
        if coding.strip().lower() != "identity":
            raise Unreadable("The response is encoded although plain bytes were requested.")
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large()
        data = await response.content.readany()
        if response.content.at_eof():
            return self._bounded(data)
        parts, size = [data], len(data)
        while part := await response.content.readany():
            parts.append(part)
            size += len(part)
            if size > self._max_bytes:
                break
        return self._bounded(b"".join(parts))

    def _bounded(self, data: bytes) -> bytes:
        if len(data) > self._max_bytes:
            raise self._too_large()
        return data

    def _too_large(self) -> Unreadable:
        return Unreadable(f"The response is larger than {self._max_bytes} bytes.")


class _Message(NamedTuple):
    """The request to send."""

    method: str
    url: URL
    body: bytes
    headers: dict[str, str]


def _in_pieces(body: bytes) -> bytes | BytesIO:
    return body if len(body) <= _AT_ONCE_BYTES else BytesIO(body)


@lru_cache(_REMEMBERED)
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, ceil_threshold=SLACK_SECONDS)
