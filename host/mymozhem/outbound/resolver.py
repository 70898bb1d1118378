"""Resolve names, each in a thread of its own.

A DNS server that does not respond then blocks no other lookup; the connector resolves a name only
once at a time. The machine's resolver is used, as by every program on it.
"""

import asyncio
import socket
import threading

from aiohttp.abc import AbstractResolver, ResolveResult

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Resolver(AbstractResolver):
    """Calls the machine's resolver, and does not wait for pending lookups at exit."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name; raises OSError if there are none."""
        reply: asyncio.Future[list[ResolveResult]] = asyncio.get_running_loop().create_future()
        asked = (host, port, family, reply)
        threading.Thread(target=_look_up, args=asked, name="resolver", daemon=True).start()
        return await reply

    async def close(self) -> None:
        """Do nothing: the threads end on their own."""


def _look_up(
    host: str, port: int, family: socket.AddressFamily, reply: "asyncio.Future[list[ResolveResult]]"
) -> None:
    found: list[ResolveResult] | OSError
    try:
        found = _found(host, port, family)
    except OSError as error:
        found = error
    except UnicodeError:  # a label that is empty or too long
        found = OSError(None, "this is not a host name")
    try:
        reply.get_loop().call_soon_threadsafe(_settle, reply, found)
    except RuntimeError:  # the loop is closed: no caller waits
        return


def _found(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    # The scope of a link-local address is dropped: those are never connected.
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=int(address[1]),
            family=found,
            proto=proto,
            flags=_NUMERIC,
        )
        for found, _, proto, _, address in socket.getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
    ]


def _settle(
    reply: "asyncio.Future[list[ResolveResult]]", found: list[ResolveResult] | OSError
) -> None:
    if reply.done():
        return
    if isinstance(found, OSError):
        reply.set_exception(found)
    else:
        reply.set_result(found)
