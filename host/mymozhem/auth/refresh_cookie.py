"""The cookie that holds the refresh token of a browser on the host's own pages."""

from urllib.parse import urlsplit

from mymozhem.config import Settings, origin_of


class RefreshCookie:
    """The name and the attributes of the cookie, as the public address demands.

    With https the cookie is `Secure` and bound to the host by its `__Host-` name. Without TLS it
    carries the port in its name, since the hosts of one machine share cookies; that name is never
    read with https, because anybody on the network could have planted it over http.
    """

    def __init__(self, settings: Settings) -> None:
        address = urlsplit(settings.effective_public_url)
        self.origin = origin_of(settings.effective_public_url)
        self.secure = address.scheme == "https"
        self.name = "__Host-mm" if self.secure else f"mm-{address.port or 80}"

    def is_for(self, origin: str | None) -> bool:
        """Return whether a page of this origin is one of the host's own."""
        return origin is not None and origin == self.origin
