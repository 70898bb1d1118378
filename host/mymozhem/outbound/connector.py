"""Open connections, each of which the guard checks."""

import socket
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from .guard import Guard

#: concurrent connections of one app: those of running calls, and of calls whose late replies are
#: awaited; further requests wait, within their deadlines
POOL_SIZE = 80

#: common servers close idle connections after 5 s (Node.js, uvicorn, Apache) or later (nginx):
#: with less than that, a reused connection has not been closed just now
KEEP_ALIVE_SECONDS = 4.0

#: timeouts below this are exact; aiohttp rounds those above its threshold up to whole seconds
SLACK_SECONDS = 60.0

#: seconds after which a name is resolved again
NAME_SECONDS = 10

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class Refused(PermissionError):
    """The guard forbids a connection to this IP; the message is the same for every IP."""

    def __init__(self) -> None:
        super().__init__("this address may not be reached")


@dataclass
class Opened:
    """Whether a request opened a new connection; a kept-alive one may have been closed just now."""

    new: bool


#: the flag of the current request; tasks that it starts share the object
opening: ContextVar[Opened] = ContextVar("mymozhem_opening")


def connector(
    guard: Guard, resolver: AbstractResolver, unix_socket: str | None, *, lasting: bool
) -> aiohttp.TCPConnector | aiohttp.UnixConnector:
    """Return a pool of connections; without `lasting`, each is closed after its request.

    Connections over a Unix socket are never kept: a new one costs almost nothing.
    """
    if unix_socket is not None:
        return aiohttp.UnixConnector(unix_socket, limit=POOL_SIZE, force_close=True)
    keep_alive = {"keepalive_timeout": KEEP_ALIVE_SECONDS} if lasting else {"force_close": True}
    return aiohttp.TCPConnector(
        limit=POOL_SIZE,
        resolver=resolver,
        ttl_dns_cache=NAME_SECONDS,
        timeout_ceil_threshold=SLACK_SECONDS,
        socket_factory=guarded(guard),
        **keep_alive,
    )


def guarded(guard: Guard) -> Any:  # noqa: ANN401  aiohttp does not export the type of a factory
    """Return a socket factory that checks every address, whether from a literal or a name."""

    def made(info: AddrInfo) -> socket.socket:
        family, kind, proto, _, address = info
        if not guard.allows_text(str(address[0])):
            raise Refused
        if (opened := opening.get(None)) is not None:
            opened.new = True
        return socket.socket(family=family, type=kind, proto=proto)

    return made


def is_forbidden(error: aiohttp.ClientConnectorError) -> bool:
    """Return whether the guard has forbidden the connection."""
    return isinstance(error.__cause__, Refused)
