"""Signatures of webhooks in both directions: Standard Webhooks `v1` and `v1a`, pure functions.

Source: the Standard Webhooks specification 1.0.0 (github.com/standard-webhooks/standard-webhooks).
The signed text is `{id}.{timestamp}.{body}`. One header may hold several signatures, separated by
blanks, so that two keys are valid at the same time.
"""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
#: the first platform's clients verify this: an HMAC of only the body, without id and time
PLATFORM_HEADER = "x-platform-signature"

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 16

_SECRET, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"
_SECRET_BYTES = range(24, 65)
_NEW_BYTES = 32
_KEY_BYTES = 32
# In the signed text a full stop ends the id, so an id with a full stop would be ambiguous.
_ID = re.compile(r"[!-\-/-~]{1,128}")


class KeyRefused(ValueError):
    """The text is no key of Standard Webhooks; the message never contains the text itself."""


class SignatureRefused(Exception):
    """The message is not signed by a known key, or is not recent; `code` says why, for programs."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class Key(Protocol):
    """A key that can verify its own signatures."""

    @property
    def version(self) -> str:
        """The name of the scheme in the header: `v1` or `v1a`."""
        ...

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Return whether this is the signature of these bytes, in constant time."""
        ...


class SigningKey(Key, Protocol):
    """A key that can sign."""

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of these bytes."""
        ...


@dataclass(frozen=True)
class SharedKey:
    """A secret that both sides know: HMAC-SHA256, `v1`; `issued` is its text, as the app got it."""

    secret: bytes
    issued: str = ""
    version = "v1"

    @cached_property
    def _keyed(self) -> HMAC:
        return HMAC(self.secret, SHA256())

    @cached_property
    def _keyed_by_text(self) -> HMAC:
        text = self.issued or _SECRET + base64.b64encode(self.secret).decode()
        return HMAC(text.encode(), SHA256())

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of these bytes."""
        mac = self._keyed.copy()  # a copy takes half the time of a new HMAC
        mac.update(signed)
        return mac.finalize()

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Return whether this is the signature of these bytes, in constant time."""
        return hmac.compare_digest(self.sign(signed), signature)

    def platform_signature(self, body: bytes) -> str:
        """Return the value of `X-Platform-Signature`: an HMAC of only the body, in hex.

        Its key is the text of the secret exactly as it was issued.
        """
        mac = self._keyed_by_text.copy()
        mac.update(body)
        return f"sha256={mac.finalize().hex()}"

    def __repr__(self) -> str:
        return "SharedKey(…)"


@dataclass(frozen=True)
class PublicKey:
    """The half of an Ed25519 key that verifies, `v1a`."""

    key: Ed25519PublicKey
    version = "v1a"

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Return whether this is the signature of these bytes."""
        try:
            self.key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class PrivateKey:
    """The half of an Ed25519 key that signs, `v1a`."""

    key: Ed25519PrivateKey
    version = "v1a"

    @property
    def public(self) -> PublicKey:
        """The public half, which verifies."""
        return PublicKey(self.key.public_key())

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of these bytes."""
        return self.key.sign(signed)

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Return whether this is the signature of these bytes."""
        return self.public.verifies(signed, signature)

    def __repr__(self) -> str:
        return "PrivateKey(…)"


def new_secret() -> str:
    """Return a new shared secret as text: `whsec_` and 32 random bytes in base64."""
    return _SECRET + base64.b64encode(secrets.token_bytes(_NEW_BYTES)).decode()


def public_text(key: PublicKey) -> str:
    """Return a public key as text for publication: `whpk_` and its 32 bytes in base64."""
    return _PUBLIC + base64.b64encode(key.key.public_bytes_raw()).decode()


def parse_key(text: str) -> SharedKey | PrivateKey | PublicKey:
    """Parse a key; `KeyRefused` if the text is no key.

    `whsec_` (or no prefix) is a shared secret of 24 to 64 bytes; `whsk_` and `whpk_` are the
    private and the public half of an Ed25519 key, 32 bytes (a private key may hold both halves).
    """
    for prefix, read in ((_PRIVATE, _private), (_PUBLIC, _public), (_SECRET, _shared)):
        if text.startswith(prefix):
            return read(_decoded(text.removeprefix(prefix)), text)
    return _shared(_decoded(text), text)


def sign(keys: Iterable[SigningKey], *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: one signature per key, the first key's first.

    ValueError unless the id is 1 to 128 visible ASCII characters without a full stop.
    """
    if not _ID.fullmatch(message_id):
        raise ValueError("an id is 1 to 128 visible ASCII characters, and no full stop")
    signed = _signed(message_id, str(timestamp), body)
    return " ".join(
        [f"{key.version},{base64.b64encode(key.sign(signed)).decode()}" for key in keys]
    )


def verify(
    keys: Iterable[Key],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    tolerance: int = TOLERANCE_SECONDS,
) -> str:
    """Return the id of a recent message that is signed with one of the keys.

    `headers` have lower-case names, `now` is in seconds since 1970. Raises `SignatureRefused`:
    SIGNATURE_MISSING, ID_INVALID, TIMESTAMP_INVALID, TIMESTAMP_OLD, TIMESTAMP_NEW (beyond
    `tolerance` seconds) or SIGNATURE_WRONG.
    """
    message_id, sent, given = (
        headers.get(name, "") for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
    )
    if not message_id or not sent or not given:
        raise SignatureRefused("SIGNATURE_MISSING", "A header of the signature is missing.")
    if not _ID.fullmatch(message_id):
        raise SignatureRefused("ID_INVALID", "The id contains a full stop or is not ASCII.")
    timestamp = _timestamp(sent)
    if now - timestamp > tolerance:
        raise SignatureRefused("TIMESTAMP_OLD", "The message is too old, or a clock is wrong.")
    if timestamp - now > tolerance:
        raise SignatureRefused("TIMESTAMP_NEW", "The message is from the future; a clock is wrong.")
    signed = _signed(message_id, sent, body)
    offered = [_split(part) for part in given.split(" ")[:MAX_SIGNATURES]]
    for key in keys:
        for version, signature in offered:
            if version == key.version and key.verifies(signed, signature):
                return message_id
    raise SignatureRefused("SIGNATURE_WRONG", "No signature is made with a valid key.")


def _signed(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _timestamp(text: str) -> int:
    digits = 12
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise SignatureRefused("TIMESTAMP_INVALID", "The timestamp is no number of seconds.")
    return int(text)


def _split(part: str) -> tuple[str, bytes]:
    version, _, encoded = part.partition(",")
    try:
        return version, base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return "", b""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyRefused("a key is base64 after its prefix") from None


def _shared(raw: bytes, text: str) -> SharedKey:
    if len(raw) not in _SECRET_BYTES:
        raise KeyRefused("a shared secret has 24 to 64 bytes")
    return SharedKey(raw, text)


def _private(raw: bytes, _: str) -> PrivateKey:
    if len(raw) not in (_KEY_BYTES, 2 * _KEY_BYTES):
        raise KeyRefused("a private key has 32 bytes, or 64 with its public half")
    key = PrivateKey(Ed25519PrivateKey.from_private_bytes(raw[:_KEY_BYTES]))
    if raw[_KEY_BYTES:] not in (b"", key.public.key.public_bytes_raw()):
        raise KeyRefused("the halves of this private key do not belong together")
    return key


def _public(raw: bytes, _: str) -> PublicKey:
    if len(raw) != _KEY_BYTES:
        raise KeyRefused("a public key has 32 bytes")
    return PublicKey(Ed25519PublicKey.from_public_bytes(raw))
