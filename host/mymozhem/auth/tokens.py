"""Access tokens: signed by the host, verified by signature and clock alone, without a query.

The library is loaded with the first token: it brings all that there is about certificates.
"""

import base64
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import PersonKind
from mymozhem.errors import Unauthenticated

from .keys import ALGORITHM, Keys
from .principal import AnyPrincipal, AppPrincipal, Principal
from .revocations import TokenIdentity

if TYPE_CHECKING:
    from jwt.types import Options

AUDIENCE: Final = "mymozhem"
TYPE: Final = "at+jwt"
MAX_LENGTH: Final = 2_048
LEEWAY_SECONDS: Final = 5
"""How many seconds the clocks of two hosts may differ, and a clock may step."""

AHEAD_SECONDS: Final = 86_400
"""How far in the future a token may have been issued: the clock may have been set back since."""

REMEMBERED: Final = 4_096
_APP: Final = "app"
_REQUIRED = ["iss", "aud", "sub", "jti", "sid", "kind", "exp", "iat"]
# Times are compared below, with the host's clock instead of the machine's.
_OPTIONS: "Options" = {
    "require": _REQUIRED,
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
# A signature of 64 bytes ends in one of four letters; others, or a trailing "=", would be a second
# spelling of the same token.
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]", re.ASCII)


class Person(Protocol):
    """The person that a token is for."""

    @property
    def id(self) -> str:
        """The person's id."""
        ...

    @property
    def kind(self) -> PersonKind:
        """Whether they have an account."""
        ...


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token, handed out once; `expires_in` is in seconds."""

    access_token: str
    expires_in: int


class RevokedTokens(Protocol):
    """What is known about revoked tokens; see `Revocations`."""

    @property
    def is_stale(self) -> bool:
        """Whether nothing was heard of revocations for some seconds."""
        ...

    def is_revoked(self, identity: TokenIdentity, /) -> bool:
        """Return whether a token is revoked."""
        ...


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: AnyPrincipal
    identity: TokenIdentity
    issued: int
    starts: int
    ends: int


class _Claims(BaseModel):
    """Claims that the library does not check: types, a guest's room, an app's scope and key."""

    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)

    sub: str
    jti: str
    sid: str
    kind: Literal["registered", "guest", "app"]
    room: str | None = None
    scope: str | None = None
    key: str | None = None
    iat: int
    nbf: int | None = None
    exp: int


class Tokens:
    """Issues and verifies the access tokens of one host, or of several that share their keys."""

    def __init__(
        self,
        keys: Keys,
        settings: Settings,
        clock: Clock,
        *,
        revoked: RevokedTokens | None = None,
        remember: int = REMEMBERED,
    ) -> None:
        """Without `revoked`, every token is valid until it expires."""
        self._clock = clock
        self._revoked = revoked
        self._limit = remember
        self._issuer = settings.public_url.rstrip("/") if settings.public_url else AUDIENCE
        self._kid, self._private = keys.signer
        # Only a header that this host writes itself finds a key, so other headers have no effect.
        self._keys = {_header_segment(kid): key for kid, key in keys.accepted.items()}
        self._lifetimes = {
            PersonKind.REGISTERED: timedelta(minutes=settings.access_token_minutes),
            PersonKind.GUEST: timedelta(hours=settings.guest_token_hours),
        }
        self._app_lifetime = timedelta(minutes=settings.app_token_minutes)
        self._verified: dict[str, _Verified] = {}

    @property
    def remembered(self) -> int:
        """How many verified tokens are cached; at most `remember`."""
        return len(self._verified)

    def issue(
        self, person: Person, *, room_id: str | None = None, session_id: str | None = None
    ) -> IssuedToken:
        """Return a new token for a person; a guest's is valid for `room_id` only.

        It ends with the session `session_id`; without one it can only be revoked alone.
        Accounts get `access_token_minutes`. Guests get `guest_token_hours`: they have no password
        to sign in with again, and nothing else renews a token. Raises `ValueError` for a guest
        without a room, and for an account with one. Two calls give two tokens, both valid.
        """
        if (person.kind is PersonKind.GUEST) != (room_id is not None):
            message = "a token is for one room exactly when it is a guest's"
            raise ValueError(message)
        own = {"room": room_id} if room_id else {}
        if session_id is not None:
            own["sid"] = session_id
        return self._issue(person.id, person.kind.value, self._lifetimes[person.kind], own)

    def issue_app(self, app_id: str, permissions: Iterable[str], *, key_id: str) -> IssuedToken:
        """Return a new token for a remote app that signed in with the secret `key_id`."""
        own = {"scope": " ".join(sorted(permissions)), "key": key_id}
        return self._issue(app_id, _APP, self._app_lifetime, own)

    def verify(self, text: str) -> AnyPrincipal:
        """Return the caller that a token identifies.

        Raises `Unauthenticated`: TOKEN_EXPIRED for an expired token of this host, which the caller
        may renew, TOKEN_REVOKED for a revoked one, and TOKEN_INVALID for everything else. Valid
        tokens are cached, so that the signature of a busy caller is verified once; expiry and
        revocation are checked at every call.
        """
        known = self._verified.get(text)
        if known is None:
            known = self._decode(text)
        now = self._clock.now().timestamp()
        if now >= known.ends + LEEWAY_SECONDS:
            self._verified.pop(text, None)
            raise Unauthenticated("The token has expired; sign in again.", code="TOKEN_EXPIRED")
        if now + LEEWAY_SECONDS < known.starts or now + AHEAD_SECONDS < known.issued:
            raise _invalid()
        self._remember(text, known)
        if self._revoked is None:
            return known.principal
        if self._revoked.is_revoked(known.identity):
            raise Unauthenticated("This session was ended; sign in again.", code="TOKEN_REVOKED")
        return (
            replace(known.principal, is_stale=True) if self._revoked.is_stale else known.principal
        )

    def verify_expired(self, text: str) -> AnyPrincipal | None:
        """Return whom a token of this host identifies, even if it is expired or revoked.

        For signing out only. None for any other text.
        """
        try:
            return self._decode(text).principal
        except Unauthenticated:
            return None

    def _issue(
        self, subject: str, kind: str, lasts: timedelta, own: Mapping[str, str]
    ) -> IssuedToken:
        import jwt

        lifetime = int(lasts.total_seconds())
        claims = {**self._claims(subject, kind, lifetime), **own}
        headers = {"kid": self._kid, "typ": TYPE}
        text = jwt.encode(claims, self._private, algorithm=ALGORITHM, headers=headers)
        return IssuedToken(text, lifetime)

    def _claims(self, subject: str, kind: str, lifetime: int) -> dict[str, str | int]:
        now = int(self._clock.now().timestamp())
        token_id = secrets.token_urlsafe(16)
        return {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "jti": token_id,
            "sid": token_id,
            "kind": kind,
            "iat": now,
            "exp": now + lifetime,
        }

    def _decode(self, text: str) -> _Verified:
        import jwt

        key = self._key_for(text)
        try:
            claims = jwt.decode(
                text,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options=_OPTIONS,
            )
        except jwt.InvalidTokenError:
            raise _invalid() from None
        return _read(claims)

    def _key_for(self, text: str) -> Ed25519PublicKey:
        parts = _COMPACT.fullmatch(text) if len(text) <= MAX_LENGTH else None
        key = self._keys.get(parts[1]) if parts else None
        if key is None:
            raise _invalid()
        return key

    def _remember(self, text: str, verified: _Verified) -> None:
        if text in self._verified:
            return
        if len(self._verified) >= self._limit:
            del self._verified[next(iter(self._verified))]  # the oldest entry
        self._verified[text] = verified


def _header_segment(kid: str) -> str:
    header = f'{{"alg":"{ALGORITHM}","kid":"{kid}","typ":"{TYPE}"}}'
    return base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()


def _read(claims: dict[str, object]) -> _Verified:
    try:
        read = _Claims.model_validate(claims)
    except ValidationError:
        raise _invalid() from None
    identity = TokenIdentity.of(
        token_id=read.jti, session_id=read.sid, subject=read.sub, issued=read.iat
    )
    return _Verified(
        _principal(read), identity, issued=read.iat, starts=read.nbf or 0, ends=read.exp
    )


def _principal(read: _Claims) -> AnyPrincipal:
    for_room, for_app = read.room is not None, read.scope is not None
    if for_room != (read.kind == PersonKind.GUEST.value) or for_app != (read.kind == _APP):
        raise _invalid()
    if for_app != (read.key is not None):
        raise _invalid()
    if read.scope is not None and read.key is not None:
        return AppPrincipal(read.sub, frozenset(read.scope.split()), read.key, read.jti)
    return Principal(read.sub, PersonKind(read.kind), read.room, read.jti, read.sid)


def _invalid() -> Unauthenticated:
    return Unauthenticated("The token is not one of ours; sign in again.", code="TOKEN_INVALID")
