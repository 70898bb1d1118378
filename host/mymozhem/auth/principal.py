"""The caller of a request, as far as the token alone shows."""

from dataclasses import dataclass, field

from mymozhem.contract import PersonKind


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller with a valid token; their permissions are read where they are needed.

    A token contains no roles. Whether somebody is an admin is read together with their membership
    of the room, so that authentication itself costs no query. `room_id` is the only room for which
    a guest's token is valid; None for people with an account. `token_id` is the token's `jti`, and
    `session_id` its `sid`. `is_stale`: the request writes, and nobody knows whether the token was
    revoked in the last seconds.
    """

    user_id: str
    kind: PersonKind
    room_id: str | None
    token_id: str
    session_id: str = ""
    is_stale: bool = field(default=False, compare=False)

    @property
    def subject(self) -> str:
        """The caller's id where people and apps are mixed."""
        return self.user_id


@dataclass(frozen=True, slots=True)
class AppPrincipal:
    """A remote app with a valid token; `permissions` are those of its manifest when it signed in.

    `key_id` names the secret that it signed in with: the token expires with that secret.
    """

    app_id: str
    permissions: frozenset[str]
    key_id: str
    token_id: str
    is_stale: bool = field(default=False, compare=False)

    @property
    def subject(self) -> str:
        """The app's id where people and apps are mixed; it never equals a person's."""
        return f"@{self.app_id}"


AnyPrincipal = Principal | AppPrincipal


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator at the command line of the host: may do everything, and has no account."""

    user_id: None = None


OPERATOR = Operator()

#: the caller of a use case: a person with a token, or the operator at the command line
Caller = Principal | Operator
