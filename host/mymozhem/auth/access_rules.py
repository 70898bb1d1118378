"""Decide by an access rule, from what the use case knows about the caller. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from mymozhem.contract import PersonKind, Role
from mymozhem.errors import Forbidden, NotFound, Unauthenticated, Unavailable

from .principal import AnyPrincipal, AppPrincipal, Principal


class Access(StrEnum):
    """Who a rule admits."""

    ANONYMOUS = "anonymous"  #: everybody, with a token or without
    AUTHENTICATED = "authenticated"  #: everybody with a valid token, including guests
    REGISTERED = "registered"  #: everybody with an account
    OUTSIDER = "outsider"  #: everybody, if the room is public
    SELF = "self"  #: the person who owns the resource
    ADMIN = "admin"  #: the platform's administrators
    ORGANIZER = "organizer"  #: the room's organizers
    MODERATOR = "moderator"  #: the room's moderators
    PARTICIPANT = "participant"  #: participants of the room
    VIEWER = "viewer"  #: spectators of the room
    APP = "app"  #: a remote app with a token of its own


@dataclass(frozen=True, slots=True)
class Rule:
    """Who a route admits, and whether strangers may know that the resource exists."""

    callers: frozenset[Access]
    hidden: bool = False

    @property
    def needs_token(self) -> bool:
        """Whether a request without a token can be rejected before any query."""
        return not self.callers & {Access.ANONYMOUS, Access.OUTSIDER}


OF_ROLE: Mapping[Role, Access] = MappingProxyType(
    {
        Role.ADMIN: Access.ADMIN,
        Role.ORGANIZER: Access.ORGANIZER,
        Role.MODERATOR: Access.MODERATOR,
        Role.PARTICIPANT: Access.PARTICIPANT,
        Role.VIEWER: Access.VIEWER,
    }
)


class RevocationsUnknown(Unavailable):
    """It is not known whether your token was revoked; nothing was changed. Try again shortly."""

    default_code = "REVOCATIONS_UNKNOWN"


class AppPermissionDenied(Forbidden):
    """Apps may not do this; no permission allows it."""

    default_code = "APP_PERMISSION_DENIED"

    def __init__(
        self,
        granted: frozenset[str],
        *,
        required: str | None = None,
        app_id: str | None = None,
        message: str | None = None,
    ) -> None:
        if required is not None:
            message = "The manifest of this app does not ask for the permission that this takes."
        known: dict[str, object] = {} if app_id is None else {"appId": app_id}
        super().__init__(
            message, details={"required": required, "granted": sorted(granted), **known}
        )


#: who may change what concerns others; their writes wait while revocations are unknown
PRIVILEGED = frozenset({Access.ADMIN, Access.ORGANIZER, Access.MODERATOR, Access.APP})
_WHO_KNOWS = frozenset(OF_ROLE.values()) | {Access.SELF, Access.OUTSIDER}
_RANK = (Role.VIEWER, Role.PARTICIPANT, Role.MODERATOR, Role.ORGANIZER, Role.ADMIN)


def admit(rule: Rule, principal: AnyPrincipal | None) -> None:
    """Reject a caller without a token, or with one of the wrong kind, before any query.

    Raises `Unauthenticated`; `AppPermissionDenied` for apps on routes for people, and `Forbidden`
    for people on routes for apps.
    """
    if principal is None and rule.needs_token:
        raise Unauthenticated
    if isinstance(principal, AppPrincipal) and Access.APP not in rule.callers:
        raise AppPermissionDenied(principal.permissions)
    if isinstance(principal, Principal) and rule.callers == {Access.APP}:
        raise Forbidden("This is for apps, with a token from POST /apps/token.")


def check(
    rule: Rule,
    principal: AnyPrincipal | None,
    role: Role | None,
    *,
    admin: bool = False,
    own: bool = False,
    public: bool = False,
) -> None:
    """Return if a rule admits the caller, else raise.

    `role` is the caller's in the room; None if they are not an active member, and for guests of
    another room. `admin`: they administer the platform, `own`: the resource is theirs, `public`:
    the room is public. Raises `Unauthenticated` without a token, `NotFound` for strangers to a
    hidden resource, `RevocationsUnknown` for a privileged write while revocations are not known,
    else `Forbidden`.
    """
    admit(rule, principal)
    granted = _granted(principal, role, admin=admin, own=own, public=public)
    admitting = rule.callers & granted
    if admitting:
        if not admitting - PRIVILEGED:
            require_known(principal)
        return
    if rule.hidden and not granted & _WHO_KNOWS:
        raise NotFound
    if principal is None:
        raise Unauthenticated
    raise Forbidden


def require_known(principal: AnyPrincipal | None) -> None:
    """Let a privileged caller pass; raises `RevocationsUnknown` if they write while it is stale."""
    if principal is not None and principal.is_stale:
        raise RevocationsUnknown


def grantable(own: Role, granted: Role) -> bool:
    """Return whether a person of one role may give another person a role: none above their own.

    Check the other person's current role as well, before it is taken away.
    """
    return _RANK.index(granted) <= _RANK.index(own)


def _granted(
    principal: AnyPrincipal | None, role: Role | None, *, admin: bool, own: bool, public: bool
) -> frozenset[Access]:
    """Return all kinds of access that a caller has."""
    granted = {Access.ANONYMOUS}
    if public:
        granted.add(Access.OUTSIDER)
    if principal is None:
        return frozenset(granted)
    if isinstance(principal, AppPrincipal):
        return frozenset({Access.APP})
    granted.add(Access.AUTHENTICATED)
    if principal.kind is PersonKind.REGISTERED:
        granted.add(Access.REGISTERED)
    if own:
        granted.add(Access.SELF)
    if admin:
        granted.add(Access.ADMIN)
    if role is not None:
        granted.add(OF_ROLE[role])
    return frozenset(granted)
