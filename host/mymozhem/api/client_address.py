"""What counts as one client address, for limits."""

import hashlib
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

#: the network that a provider gives to one customer, whose devices choose the rest of the address
IPV6_PREFIX = 64


def client_network(address: str) -> str:
    """Return the part of an address that one client cannot change: IPv4 whole, IPv6 its /64.

    An IPv4 address inside of an IPv6 one (mapped, 6to4) counts as that IPv4 address. What is no
    address, such as the name of a socket, is returned as it is.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        inner: IPv4Address | None = found.ipv4_mapped or found.sixtofour
        if inner is not None:
            return str(inner)
        return str(ip_network((found.packed[:8] + bytes(8), IPV6_PREFIX)))
    return str(found)


def anonymous(address: str) -> str:
    """Return a digest of a client's network: addresses are personal data, and are not stored."""
    return digest(client_network(address))


def digest(text: str) -> str:
    """Return a short digest of a text of any length, as a key of counters."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
