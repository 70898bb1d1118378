"""Refresh tokens: opaque texts that a client exchanges for a new access token, once each.

A token names its session and its place in the session's sequence, and ends in an HMAC of both, so
that an old token is recognized although only the digest of the current one is stored. The next
token follows from the current one by the host's key alone: a client that lost a response, or that
asked a hundred times at once, gets the same successor every time.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

from .keys import Keys

PREFIX = "mmr_"
_SEAL_BYTES = 32
_NUMBER_BYTES = 4
_ID_BYTES = 16
_SESSION = "ses_"
_FORM = re.compile(rf"{PREFIX}([A-Za-z0-9_-]{{70}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """The session that a token belongs to, and its number in the session's sequence from 1."""

    session_id: str
    number: int


class RefreshTokens:
    """Writes and reads the refresh tokens of one host, or of several that share their keys."""

    def __init__(self, keys: Keys) -> None:
        self._key = keys.derive("refresh token")

    def write(self, session_id: str, number: int) -> str:
        """Return the token at a place: the same text at every call."""
        head = bytes.fromhex(session_id.removeprefix(_SESSION)) + number.to_bytes(_NUMBER_BYTES)
        text = base64.urlsafe_b64encode(head + self._seal(head)).rstrip(b"=").decode()
        return PREFIX + text

    def read(self, token: str) -> Place | None:
        """Return the place of a token that this host wrote; None for every other text."""
        found = _FORM.fullmatch(token)
        if found is None:
            return None
        try:
            data = base64.urlsafe_b64decode(found[1] + "==")
        except binascii.Error:
            return None
        head, seal = data[:-_SEAL_BYTES], data[-_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(head)):
            return None
        place = Place(_SESSION + head[:_ID_BYTES].hex(), int.from_bytes(head[_ID_BYTES:]))
        return place if self.write(place.session_id, place.number) == token else None

    def _seal(self, head: bytes) -> bytes:
        return hmac.digest(self._key, head, "sha256")


def digest(token: str) -> str:
    """Return what is stored of a token: the SHA-256 of its text, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()
