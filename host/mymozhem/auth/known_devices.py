"""Devices on which somebody has signed in before: their attempts are counted separately.

After a sign-in a browser keeps a signed cookie. It does not sign anybody in: the password is still
needed. But attempts with it are not counted together with those of strangers, so nobody can delay
an owner's sign-in by guessing.
"""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from mymozhem.clock import Clock
from mymozhem.config import Settings

from .keys import Keys

VALID = timedelta(days=90)
_FORM = re.compile(r"([0-9a-f]{32})\.(\d{1,12})\.([0-9a-f]{64})")


class KnownDevices:
    """Issues and recognizes the cookies of one host."""

    def __init__(self, keys: Keys, settings: Settings, clock: Clock) -> None:
        self._key = keys.derive("known device")
        self._clock = clock
        address = urlsplit(settings.effective_public_url)
        self.secure = address.scheme == "https"
        #: hosts on one machine share cookies, whatever their ports are
        self.cookie = "__Host-mm-device" if self.secure else f"mm-device-{address.port or 80}"

    def issue(self, account: str) -> str:
        """Return a cookie for a new device of an account, given by its e-mail address."""
        device = secrets.token_hex(16)
        expires = int((self._clock.now() + VALID).timestamp())
        return f"{device}.{expires}.{self._seal(account, device, expires)}"

    def recognize(self, cookie: str | None, account: str) -> str | None:
        """Return the id of the device if the cookie is valid for this account, else None."""
        found = _FORM.fullmatch(cookie or "")
        if found is None:
            return None
        device, expires, seal = found[1], int(found[2]), found[3]
        if not hmac.compare_digest(seal, self._seal(account, device, expires)):
            return None
        return device if self._clock.now().timestamp() < expires else None

    def _seal(self, account: str, device: str, expires: int) -> str:
        owner = hashlib.sha256(account.encode(errors="replace")).hexdigest()
        return hmac.digest(self._key, f"{owner}.{device}.{expires}".encode(), "sha256").hex()
