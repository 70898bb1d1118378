"""One HTTP client for everything that the host sends to others, loaded when it is needed.

Its library and the certificates of the machine take a tenth of a host's start, and a host without
remote apps sends nothing.
"""

import asyncio
from typing import TYPE_CHECKING

from .answered import Answered
from .guard import Guard

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from .client import Client

MAX_BYTES = 1024 * 1024


async def load_client() -> "type[Client]":
    """Return the client's class; it is imported in a thread, so that nobody waits for that."""
    return await asyncio.to_thread(_import_client)


def _import_client() -> "type[Client]":
    from .client import Client

    return Client


class Outbound:
    """Sends requests and reads what comes back; used from one event loop.

    Answers are read up to `max_bytes`. Without a `resolver` the machine's is asked for names.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        max_bytes: int = MAX_BYTES,
        resolver: "AbstractResolver | None" = None,
    ) -> None:
        self._guard = guard
        self._max_bytes = max_bytes
        self._resolver = resolver
        self._client: Client | None = None
        self._closed = False

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        pool: str,
        headers: dict[str, str],
        seconds: float,
        socket: str | None = None,
    ) -> Answered:
        """Send a body and return the answer; `socket` is a Unix socket in place of the network.

        Raises `AddressForbidden`, `Unreachable`, `Unreadable`, and `TimeoutError` after so many
        seconds, whatever the other side does. Where it closes a connection that it had kept open,
        the request is sent once more on a new one: it may then arrive twice, with the same id.
        """
        client = self._client
        if client is None:
            asked = asyncio.get_running_loop().time()
            client = await self._made()
            seconds -= asyncio.get_running_loop().time() - asked
        return await client.request(
            "POST", url, body, pool=pool, headers=headers, seconds=seconds, socket=socket
        )

    async def get(
        self, url: str, *, pool: str, headers: dict[str, str], seconds: float
    ) -> Answered:
        """Read an address; raises: see `post`."""
        client = self._client or await self._made()
        return await client.request(
            "GET", url, b"", pool=pool, headers=headers, seconds=seconds, socket=None
        )

    async def close(self) -> None:
        """Close every connection; idempotent."""
        self._closed = True
        if self._client is not None:
            await self._client.close()

    async def _made(self) -> "Client":
        make = await load_client()
        if self._client is None:  # it may have been made meanwhile, for another request
            self._client = make(self._guard, max_bytes=self._max_bytes, resolver=self._resolver)
            if self._closed:
                await self._client.close()
        return self._client
