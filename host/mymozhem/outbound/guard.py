"""Which addresses may be reached: pure rules for IPs, and for URLs before they are stored.

Names are checked by the IP of each connection, so that no DNS response leads into a private
network. Sources: the IANA registries of special-purpose addresses (RFC 6890 and its updates).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

from mymozhem.config import Settings

from .errors import AddressForbidden

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL = 2_048
_REMEMBERED = 4_096
_NO_ADDRESS = "This is not an address; write https:// and a host."
_HOST = re.compile(r"^(?:[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+)$")

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

_CLOSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network, and "unspecified"
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own services, at a public address
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, and one cloud's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

# Everything else is not global unicast: loopback, mapped, translated (NAT64), private, link-local,
# multicast. A list of allowed ranges also excludes ranges that are assigned later.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)


class Guard:
    """Decides which addresses may be reached: public ones, and the networks that are allowed."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)
        self.check_url = lru_cache(_REMEMBERED)(self._check_url)

    @classmethod
    def of(cls, settings: Settings) -> "Guard":
        """Return the guard by the operator's settings; demo and test also allow loopback."""
        loopback = LOOPBACK if settings.environment in ("demo", "test") else ()
        return cls((*settings.allow_networks, *loopback))

    def allows(self, address: Address) -> bool:
        """Return whether a connection to this IP may be opened."""
        if any(address.version == each.version and address in each for each in self._allowed):
            return True
        if isinstance(address, IPv4Address):
            return not any(address in each for each in _CLOSED_V4)
        return (
            address.scope_id is None
            and address in _OPEN_V6
            and not any(address in each for each in _CLOSED_V6)
        )

    def allows_text(self, host: str) -> bool:
        """Return the same for an IP as text; what is not a canonical IP is not allowed."""
        try:
            return self.allows(ip_address(host))
        except ValueError:
            return False

    def _check_url(self, text: str) -> URL:
        """Return an address that may be called, or stored to be called later.

        It is https, or http to this machine if that is allowed; a name is checked again at each
        connection. Raises `AddressForbidden`.
        """
        # The client's own parser, so that both see the same host.
        try:
            url = URL(text)
            host = url.raw_host or ""
        except ValueError:
            raise AddressForbidden(_NO_ADDRESS) from None
        if len(text) > MAX_URL or not _HOST.match(host) or url.port == 0:
            raise AddressForbidden(_NO_ADDRESS)
        if url.user is not None or url.password is not None:
            raise AddressForbidden("An address must not contain a user or a password; remove them.")
        if not self._allows_host(host):
            raise AddressForbidden
        if url.scheme == "https" or (url.scheme == "http" and _is_loopback(host)):
            return url
        raise AddressForbidden("Only https is safe beyond this machine; write https://.")

    def _allows_host(self, host: str) -> bool:
        if _is_localhost(host):
            return self.allows(IPv4Address("127.0.0.1"))
        return not (":" in host or _ends_in_number(host)) or self.allows_text(host)


def _is_localhost(host: str) -> bool:
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return _is_localhost(host)


def _ends_in_number(name: str) -> bool:
    """Return whether resolvers take a name for an IPv4 address, in any form (URL standard)."""
    last = name.rstrip(".").lower().rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")
