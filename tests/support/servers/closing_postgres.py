"""A PostgreSQL that says good-bye and does not hang up: what a client sees between the two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url

_FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
FAREWELL = b"E" + (len(_FIELDS) + 4).to_bytes(4, "big") + _FIELDS


class ClosingServer:
    """A relay in front of the real server; `say` sends its farewell on every connection."""

    def __init__(self, url: str) -> None:
        self._server = make_url(url)
        self._clients: list[asyncio.StreamWriter] = []
        self.url = ""

    def say(self) -> None:
        for client in self._clients:
            client.write(FAREWELL)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ClosingServer"]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        here = self._server.set(host="127.0.0.1", port=port)
        self.url = here.render_as_string(hide_password=False)
        try:
            yield self
        finally:
            server.close()
            for client in self._clients:
                client.close()

    async def _relay(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        to_reader, to = await asyncio.open_connection(
            self._server.host or "127.0.0.1", self._server.port or 5432
        )
        self._clients.append(client)
        with suppress(ConnectionError):
            await asyncio.gather(_copy(reader, to), _copy(to_reader, client))


async def _copy(reader: asyncio.StreamReader, transaction: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        transaction.write(data)
    transaction.close()
