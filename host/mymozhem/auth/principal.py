"""Who made a request, as far as the token alone can tell."""

from dataclasses import dataclass

from mymozhem.contract import PersonKind


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller with a good token; what they may do is looked up where it is asked.

    A token carries no roles. Whether somebody is an admin is read together with their seat in the
    room, so that authentication itself costs no query. `room_id` is the only room for which a
    guest's token is good; None for people with an account. `token_id` is the token's `jti`.
    """

    user_id: str
    kind: PersonKind
    room_id: str | None
    token_id: str

    @property
    def subject(self) -> str:
        """The caller's name where people and apps stand side by side."""
        return self.user_id


@dataclass(frozen=True, slots=True)
class AppPrincipal:
    """A remote app with a good token; `permissions` are those of its manifest, as it was then.

    `key_id` names the secret that it had shown: where that is over, so is the token.
    """

    app_id: str
    permissions: frozenset[str]
    key_id: str
    token_id: str

    @property
    def subject(self) -> str:
        """The app's name where people and apps stand side by side; no person's id looks so."""
        return f"@{self.app_id}"


AnyPrincipal = Principal | AppPrincipal


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever types a command on the host's machine: may do everything, and has no account."""

    user_id: None = None


OPERATOR = Operator()

#: who calls a use case: a person with a token, or the operator at the command line
Caller = Principal | Operator
