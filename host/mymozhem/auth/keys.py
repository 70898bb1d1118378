"""The host's keys: sign tokens, seal the secrets of draws, derive the ids of people for apps."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mymozhem.config import Settings
from mymozhem.errors import HostFault

from .key_file import KeyMaterial, KeysRefused, derive_key, derive_material, read_or_create

KEY_FILE = "keys.json"
ALGORITHM = "EdDSA"
PERSON_HEX = 32
_SEAL_VERSION = b"\x01"
_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = len(_SEAL_VERSION) + _ID_BYTES
_LEAST_CHARACTERS = 32
_LEAST_DISTINCT = 8
_PLACEHOLDERS = ("changeme", "change-me", "change_me", "insecure", "example", "password")


class SealBroken(HostFault):
    """A sealed secret cannot be opened: it was changed or moved, or its key is missing."""

    default_code = "SEAL_BROKEN"


class Keys:
    """The operator's keys, loaded once at the start.

    They come from `keys.json` in the data folder, created at the first start, or from
    `MYMOZHEM_SECRET_KEY` if it is set, so that hosts on several machines share them. To rotate a
    key of the file: append the new one to its list and restart every process, then move it to the
    front and restart again. Remove an old signing key after its last token has expired; an old
    sealing key only if no draw sealed with it is left.
    """

    def __init__(self, material: KeyMaterial) -> None:
        signers = [Ed25519PrivateKey.from_private_bytes(each) for each in material.signing]
        self._signer = signers[0]
        self._accepted = {key_id(each.public_key()): each.public_key() for each in signers}
        self._sealers = {_seal_id(each): AESGCM(each) for each in material.sealing}
        self._seal_id = _seal_id(material.sealing[0])
        self._mac = material.mac
        self._person = derive_key(material.mac, "person")

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Return the host's keys; the same ones at every start.

        Raises `KeysRefused` if, in production, others can read the file or the set secret can be
        guessed, and if the file contains no keys; `OSError` if the data folder cannot be written.
        """
        production = settings.environment == "production"
        if settings.secret_key is None:
            path = settings.data_dir / KEY_FILE
            return cls(read_or_create(path, private=production))
        secret = settings.secret_key.get_secret_value()
        if production:
            _check_strength(secret)
        return cls(derive_material(secret))

    @property
    def signer(self) -> tuple[str, Ed25519PrivateKey]:
        """The id and the private half of the key that signs."""
        return key_id(self._signer.public_key()), self._signer

    @property
    def accepted(self) -> Mapping[str, Ed25519PublicKey]:
        """The public keys whose signatures are accepted, by id."""
        return self._accepted

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK set, the signing one first. Source: RFC 7517, 8037."""
        extra = {"use": "sig", "alg": ALGORITHM}
        keys = [{**_jwk(each), "kid": kid, **extra} for kid, each in self._accepted.items()]
        return {"keys": keys}

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes:
        """Return a secret as bytes to store; only `unseal` with the same `aad` decrypts them.

        `aad` names the owner of the secret (a room's id), so that the secret cannot be moved to
        another owner. Two calls give different results. Source: AES-256-GCM, NIST SP 800-38D.
        """
        header = _SEAL_VERSION + self._seal_id
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + self._sealers[self._seal_id].encrypt(nonce, plaintext, header + aad)

    def unseal(self, sealed: bytes, *, aad: bytes) -> bytes:
        """Return the secret, or raise `SealBroken`."""
        header, rest = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:]
        sealer = self._sealers.get(header[len(_SEAL_VERSION) :])
        if sealer is None or not header.startswith(_SEAL_VERSION) or len(rest) < _NONCE_BYTES:
            raise SealBroken
        try:
            return sealer.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + aad)
        except InvalidTag:
            raise SealBroken from None

    def derive(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for one purpose, such as `cursor`: the same at every start."""
        return derive_key(self._mac, f"purpose/{purpose}")

    def person_id(self, app_id: str, user_id: str) -> str:
        """Return the id of a person for an app: the same in all rooms of that app.

        Two apps get different ids, and neither can derive the person from them.
        """
        message = f"{app_id}\0{user_id}".encode()
        return f"person_{hmac.digest(self._person, message, 'sha256').hex()[:PERSON_HEX]}"


def key_id(key: Ed25519PublicKey) -> str:
    """Return the thumbprint of a public key. Source: RFC 7638, for the members of RFC 8037."""
    jwk = _jwk(key)
    members = ",".join(f'"{name}":"{jwk[name]}"' for name in sorted(jwk))
    return _base64url(hashlib.sha256(f"{{{members}}}".encode()).digest())


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.public_bytes_raw())}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _seal_id(key: bytes) -> bytes:
    return derive_key(key, "seal-id")[:_ID_BYTES]


def _check_strength(secret: str) -> None:
    lower = secret.lower()
    if (
        len(secret) < _LEAST_CHARACTERS
        or len(set(secret)) < _LEAST_DISTINCT
        or any(word in lower for word in _PLACEHOLDERS)
    ):
        raise KeysRefused(
            "MYMOZHEM_SECRET_KEY can be guessed. Set at least 32 random characters, for example "
            "from `openssl rand -base64 32`, or leave it unset to have keys made.",
        )
