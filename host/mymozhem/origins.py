"""Web origins: a scheme, a host and a port, written as browsers send them."""

from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class AllowedOrigin(NamedTuple):
    """An origin whose pages may call the API; with an `app_id`, as long as that app works."""

    origin: str
    app_id: str | None = None

    @classmethod
    def parse(cls, text: str) -> "AllowedOrigin":
        """Read `https://pages.example.com` or `raffle=https://pages.example.com`; else ValueError.

        Wildcards and `null` are refused, because anybody's page could then call.
        """
        app_id, found, origin = text.rpartition("=")
        if found and not app_id:
            raise ValueError(f"write an app id before the = of {text!r}")
        url = urlsplit(origin)
        bare = not (url.path.strip("/") or url.query or url.fragment or url.username)
        if url.scheme not in _PORTS or not url.hostname or "*" in url.netloc or not bare:
            message = f"write an exact origin such as https://pages.example.com, not {origin!r}"
            raise ValueError(message)
        return cls(origin_of(origin), app_id or None)


def origin_of(address: str) -> str:
    """Return the origin of an http address, as a browser sends it."""
    url = urlsplit(address)
    host = (url.hostname or "").encode("idna").decode() if url.hostname else ""
    host = f"[{host}]" if ":" in host else host
    port = url.port
    shown = "" if port is None or port == _PORTS.get(url.scheme) else f":{port}"
    return f"{url.scheme}://{host}{shown}"
