"""Find out whether phones can reach the address that links and QR codes name."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from mymozhem.config import Settings

from .doctor_findings import Finding

_LOCAL_NAMES = (".local", ".lan", ".internal", ".home", ".home.arpa", ".localdomain")
_SET = (
    "Set MYMOZHEM_PUBLIC_URL to the address that phones open, such as https://events.example.org."
)


def address_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what phones cannot reach, and why."""
    url = settings.effective_public_url
    host = (urlsplit(url).hostname or "").rstrip(".")
    reason = unreachable(host)
    if reason is not None:
        yield Finding("warning", "address", f"Links and QR codes name {url}: {reason}.", _SET)
        return
    yield Finding("ok", "address", f"Links and QR codes name {url}{_only_near(host)}.")
    if settings.public_url is not None:
        yield from _not_listening(settings, _address(host))


def unreachable(host: str) -> str | None:
    """Return why phones cannot reach a host, or None if they may."""
    address = _address(host)
    if address is None:
        return _unreachable_name(host.lower())
    if address.is_loopback:
        return "each phone understands that as itself"
    if address.is_unspecified:
        return "that means every network of this machine, and is no address to open"
    if address.is_link_local:
        return "browsers of phones cannot open addresses that hold for one link alone"
    if address.is_multicast or address.is_reserved:
        return "that is no address of a machine"
    return None


def _unreachable_name(host: str) -> str | None:
    if host == "localhost" or host.endswith(".localhost"):
        return "each phone understands that as itself"
    if "." not in host:
        return f"phones do not know the name {host!r}, which has no domain"
    if host.endswith(_LOCAL_NAMES):
        return f"only some phones know the name {host!r}, and only in the network of this machine"
    return None


def _only_near(host: str) -> str:
    """Return what restricts an address that phones may reach, as the end of a sentence."""
    address = _address(host)
    if address is not None and not address.is_global:
        return ", which phones reach in the network of this machine, not over mobile data"
    return ""


def _not_listening(
    settings: Settings, public: IPv4Address | IPv6Address | None
) -> Iterator[Finding]:
    """Yield a warning if the public address is one of the machine, where the host does not listen.

    If the public address is a name, a proxy may be behind it.
    """
    own = _address("127.0.0.1" if settings.host == "localhost" else settings.host)
    if public is None or own is None:
        return
    if own.is_loopback:
        says = f"The host listens at {settings.host}, so only a proxy on this machine can reach it."
        do = "Set MYMOZHEM_HOST to 0.0.0.0, or to :: for IPv6, unless a proxy forwards requests."
        yield Finding("warning", "address", says, do)
    elif own.version == 4 and public.version == 6:  # noqa: PLR2004  versions of IP
        says = f"The host listens at {settings.host}, which is IPv4 alone, and not at {public}."
        yield Finding("warning", "address", says, "Set MYMOZHEM_HOST to ::.")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
