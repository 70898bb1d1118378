"""The keys between host and a remote app: created, sealed for the database, rotated, unsealed.

Each app has a shared secret, which the app signs in with and calls are signed with (`v1`), and a
key pair of the host's (`v1a`), whose private half never leaves the host.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract.signing import (
    PrivateKey,
    SharedKey,
    SigningKey,
    new_secret,
    parse_key,
    public_text,
)
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import UnitOfWork

from .tables import AppSecretRow, SecretKind

#: keys of a kind that are valid at the same time: the newest, and the one before it
AT_ONCE = 2


class Sealer(Protocol):
    """Encrypts secrets, so that the database does not contain them in clear text."""

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes:
        """Return a secret as bytes to store; only `unseal` with the same `aad` decrypts them."""
        ...

    def unseal(self, sealed: bytes, *, aad: bytes) -> bytes:
        """Return the secret, or raise a platform error."""
        ...


@dataclass(frozen=True)
class NewKeys:
    """New keys: the secret, shown only now, and the newest public key, whether renewed or not."""

    secret: str = field(repr=False)
    public_key: str


@dataclass(frozen=True)
class AppKey:
    """A valid key, unsealed; `expires_at` is None unless a newer key replaces it."""

    kid: str
    kind: SecretKind
    key: SigningKey = field(repr=False)
    created_at: datetime
    expires_at: datetime | None

    @property
    def public_key(self) -> str | None:
        """The public half, for the app to verify with, as text; None for a shared secret."""
        return public_text(self.key.public) if isinstance(self.key, PrivateKey) else None


async def add_keys(unit: UnitOfWork, sealer: Sealer, app_id: str) -> NewKeys:
    """Create the first keys of an app."""
    return NewKeys(_add_secret(unit, sealer, app_id), _add_pair(unit, sealer, app_id))


async def rotate(
    unit: UnitOfWork, sealer: Sealer, app_id: str, *, grace: timedelta, key_pair: bool
) -> NewKeys:
    """Create a new secret, and with `key_pair` a new pair; old keys stay valid for `grace`.

    A grace period of zero ends the old ones immediately; what was in a grace period already always
    ends. The caller locks the app's row. Raises the sealer's error if the pair cannot be unsealed
    and is not renewed.
    """
    kinds = [SecretKind.SHARED] + ([SecretKind.ED25519] if key_pair else [])
    query = select(AppSecretRow).where(
        AppSecretRow.app_id == app_id, AppSecretRow.revoked_at.is_(None)
    )
    rows = (await unit.session.scalars(query)).all()
    for row in rows:
        if row.kind in kinds:
            _retire(row, unit.now, grace)
    secret = _add_secret(unit, sealer, app_id)
    if key_pair:
        return NewKeys(secret, _add_pair(unit, sealer, app_id))
    return NewKeys(secret, _public_half(rows, sealer))


def good_at(moment: datetime) -> ColumnElement[bool]:
    """Return the condition that selects keys that are valid at a moment."""
    return AppSecretRow.revoked_at.is_(None) & or_(
        AppSecretRow.expires_at.is_(None), AppSecretRow.expires_at > moment
    )


async def good_keys(session: AsyncSession, now: datetime) -> Sequence[AppSecretRow]:
    """Return the rows of all valid keys, of each app the newest first."""
    query = select(AppSecretRow).where(good_at(now))
    newest = query.order_by(
        AppSecretRow.app_id,
        AppSecretRow.expires_at.is_not(None),  # the previous key expires
        AppSecretRow.created_at.desc(),
        AppSecretRow.kind.desc(),
    )
    return (await session.scalars(newest)).all()


def opened(row: AppSecretRow, sealer: Sealer) -> AppKey:
    """Unseal a key; raises the sealer's error if that fails."""
    plain = sealer.unseal(row.sealed, aad=_bound_to(row.app_id, row.kid))
    key: SigningKey
    if row.kind is SecretKind.SHARED:
        key = _shared(plain.decode())
    else:
        key = PrivateKey(Ed25519PrivateKey.from_private_bytes(plain))
    return AppKey(row.kid, row.kind, key, row.created_at, row.expires_at)


class SecretCheck:
    """Compares secrets that apps sign in with, in constant time: also if the app is unknown."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._nobody = ("-", "-", sealer.seal(new_secret().encode(), aad=_bound_to("-", "-")))

    def matching(self, given: str, rows: Iterable[AppSecretRow]) -> str | None:
        """Return the `kid` of the shared secret that equals a text, None if none does.

        Only the first two rows are compared.
        """
        sealed = [(row.app_id, row.kid, row.sealed) for row in rows][:AT_ONCE]
        wanted = hashlib.sha256(given.encode()).digest()
        right: str | None = None
        for position in range(AT_ONCE):
            known = position < len(sealed)
            app_id, kid, secret = sealed[position] if known else self._nobody
            plain = self._sealer.unseal(secret, aad=_bound_to(app_id, kid))
            equal = hmac.compare_digest(hashlib.sha256(plain).digest(), wanted)
            right = kid if equal and known else right
        return right


def _retire(row: AppSecretRow, now: datetime, grace: timedelta) -> None:
    if row.expires_at is None and grace > timedelta():
        row.expires_at = now + grace
    else:
        row.revoked_at = now


def _public_half(rows: Iterable[AppSecretRow], sealer: Sealer) -> str:
    """Return the public half of the newest pair; each app has one that does not expire."""
    pairs = (row for row in rows if row.kind is SecretKind.ED25519 and row.expires_at is None)
    return opened(next(pairs), sealer).public_key or ""


def _add_secret(unit: UnitOfWork, sealer: Sealer, app_id: str) -> str:
    secret = new_secret()
    _add(unit, sealer, app_id, SecretKind.SHARED, secret.encode())
    return secret


def _add_pair(unit: UnitOfWork, sealer: Sealer, app_id: str) -> str:
    private = Ed25519PrivateKey.generate()
    _add(unit, sealer, app_id, SecretKind.ED25519, private.private_bytes_raw())
    return public_text(PrivateKey(private).public)


def _add(unit: UnitOfWork, sealer: Sealer, app_id: str, kind: SecretKind, plaintext: bytes) -> None:
    kid = new_id("key")
    unit.session.add(
        AppSecretRow(
            app_id=app_id,
            kid=kid,
            kind=kind,
            sealed=sealer.seal(plaintext, aad=_bound_to(app_id, kid)),
            created_at=unit.now,
        )
    )


def _bound_to(app_id: str, kid: str) -> bytes:
    return f"app-key/{app_id}/{kid}".encode()


def _shared(text: str) -> SharedKey:
    key = parse_key(text)
    if not isinstance(key, SharedKey):
        msg = "a shared secret was stored as another kind of key"
        raise TypeError(msg)
    return key
