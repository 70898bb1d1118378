"""How connections are opened: every one of them past the guard."""

import socket
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from .guard import Guard

#: connections of one app at the same time: those of running calls, and of calls that are listened
#: to after their deadlines; further requests wait, within theirs
POOL_SIZE = 80

#: common servers close idle connections after 5 s (Node.js, uvicorn, Apache) and later (nginx): one
#: that we use has then not been closed just now
KEEP_ALIVE_SECONDS = 4.0

#: timeouts below are exact; aiohttp rounds those above its threshold up to whole seconds
SLACK_SECONDS = 60.0

#: a name that moved is asked for again after so many seconds
NAME_SECONDS = 10

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class Refused(PermissionError):
    """The guard let no connection to this IP out; its text is the same for every IP."""

    def __init__(self) -> None:
        super().__init__("this address may not be reached")


@dataclass
class Opened:
    """Whether a connection was opened for a request; a kept one may have been closed just now."""

    new: bool


#: what the request of this task wants to know; tasks that it starts see the same object
opening: ContextVar[Opened] = ContextVar("mymozhem_opening")


def connector(
    guard: Guard, resolver: AbstractResolver, unix_socket: str | None, *, lasting: bool
) -> aiohttp.TCPConnector | aiohttp.UnixConnector:
    """Return a pool of connections; one that is not `lasting` closes each after its request.

    Connections over a Unix socket are never kept: a new one costs next to nothing.
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
    """Return what makes the socket of a connection, whatever led there: a literal or any name."""

    def made(info: AddrInfo) -> socket.socket:
        family, kind, proto, _, address = info
        if not guard.allows_text(str(address[0])):
            raise Refused
        if (opened := opening.get(None)) is not None:
            opened.new = True
        return socket.socket(family=family, type=kind, proto=proto)

    return made


def is_forbidden(error: aiohttp.ClientConnectorError) -> bool:
    """Tell whether it was the guard that let no connection out."""
    return isinstance(error.__cause__, Refused)
