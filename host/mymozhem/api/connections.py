"""The open connections of a server: how many there may be, and which one goes if there are more.

A connection is *idle* while the server waits for the client: for a request, or for the rest of one.
If there are too many connections, the one that has been idle longest is closed for a new one. So
connections that send nothing keep nobody out.
"""

from collections import Counter
from typing import Protocol

import structlog

from .client_address import client_network

logger = structlog.stdlib.get_logger(__name__)

#: connections over the limit that get an answer; more are closed without one
MOST_ANSWERED = 64
#: seconds between two lines of the log that say the same
LOG_EVERY = 60.0


class Connection(Protocol):
    """A connection that can be closed."""

    def evict(self) -> None:
        """Close the connection for a new one."""
        ...


class Addresses(Protocol):
    """A set of addresses."""

    def __contains__(self, address: str, /) -> bool:
        """Return whether an address is among them."""
        ...


class Connections:
    """Counts the connections of one server, overall and per address; used from one event loop.

    `trusted` are the addresses of proxies: all clients of a proxy share its address, so only the
    overall limit applies there.
    """

    def __init__(self, *, most: int, per_address: int, trusted: Addresses) -> None:
        self._most = most
        self._per_address = per_address
        self._trusted = trusted
        self._open: dict[Connection, str] = {}
        self._counts: Counter[str] = Counter()
        self._idle: dict[Connection, None] = {}
        self._idle_by_address: dict[str, dict[Connection, None]] = {}
        self._logged_at = -LOG_EVERY

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._open)

    @property
    def idle(self) -> int:
        """How many of them are idle."""
        return len(self._idle)

    @property
    def answers_refused(self) -> bool:
        """Whether a refused connection may stay open for its answer."""
        return len(self._open) <= self._most + MOST_ANSWERED

    def add(self, connection: Connection, address: str, now: float) -> bool:
        """Add a new connection, which is idle; return False if there is no place for it.

        It has to be removed in either case, once it is closed.
        """
        network = client_network(address)
        crowd: dict[Connection, None] | None = None
        if self._counts[network] >= self._per_address and address not in self._trusted:
            crowd = self._idle_by_address.get(network, {})
        elif len(self._open) >= self._most:
            crowd = self._idle
        self._open[connection] = network
        self._counts[network] += 1
        if crowd is not None:
            self._log(now)
            oldest = next(iter(crowd), None)
            if oldest is None:
                return False
            self.remove(oldest)
            oldest.evict()
        self.is_idle(connection)
        return True

    def remove(self, connection: Connection) -> None:
        """Forget a connection; idempotent."""
        self.is_busy(connection)
        network = self._open.pop(connection, None)
        if network is not None:
            self._counts[network] -= 1
            if not self._counts[network]:
                del self._counts[network]

    def is_idle(self, connection: Connection) -> None:
        """Note that the server waits for the client from now on; idempotent."""
        network = self._open.get(connection)
        if network is not None and connection not in self._idle:
            self._idle[connection] = None
            self._idle_by_address.setdefault(network, {})[connection] = None

    def is_busy(self, connection: Connection) -> None:
        """Note that the client waits for the server; idempotent."""
        if connection in self._idle:
            del self._idle[connection]
            network = self._open[connection]
            same = self._idle_by_address[network]
            del same[connection]
            if not same:
                del self._idle_by_address[network]

    def _log(self, now: float) -> None:
        if now - self._logged_at >= LOG_EVERY:
            self._logged_at = now
            logger.warning("connections.full", open=len(self._open), idle=len(self._idle))
