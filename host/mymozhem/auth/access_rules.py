"""How a rule of access decides: pure, from what the use case has looked up about the caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from mymozhem.contract import PersonKind, Role
from mymozhem.errors import Forbidden, NotFound, Unauthenticated

from .principal import AnyPrincipal, AppPrincipal, Principal


class Access(StrEnum):
    """Whom a rule lets in."""

    ANONYMOUS = "anonymous"  #: everybody, with a token or without
    AUTHENTICATED = "authenticated"  #: everybody with a good token, guests too
    REGISTERED = "registered"  #: everybody with an account
    OUTSIDER = "outsider"  #: everybody, where the room is public
    SELF = "self"  #: the person whom the thing belongs to
    ADMIN = "admin"  #: the platform's administrators
    ORGANIZER = "organizer"  #: the room's organizers
    MODERATOR = "moderator"  #: the room's moderators
    PARTICIPANT = "participant"  #: who takes part in the room
    VIEWER = "viewer"  #: who watches the room
    APP = "app"  #: a remote app with a token of its own


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a route lets in, and whether strangers may know that the thing exists."""

    callers: frozenset[Access]
    hidden: bool = False

    @property
    def needs_token(self) -> bool:
        """Whether a request without a token can be turned away before anything is looked up."""
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


class AppPermissionDenied(Forbidden):
    """This is not for apps; no permission lets one in."""

    default_code = "APP_PERMISSION_DENIED"

    def __init__(self, granted: frozenset[str]) -> None:
        super().__init__(details={"required": None, "granted": sorted(granted)})


_WHO_KNOWS = frozenset(OF_ROLE.values()) | {Access.SELF, Access.OUTSIDER}
_RANK = (Role.VIEWER, Role.PARTICIPANT, Role.MODERATOR, Role.ORGANIZER, Role.ADMIN)


def admit(rule: Rule, principal: AnyPrincipal | None) -> None:
    """Turn away who lacks a token, or has one of the wrong kind, before anything is looked up.

    Raises `Unauthenticated`; apps are refused by what is for people with `AppPermissionDenied`, and
    people by what is for apps with `Forbidden`.
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
    """Return when a rule lets a caller in, else raise.

    `role` is the caller's in the room, None for who is not an active member, and for a guest of
    another room. `admin`: they administer the platform, `own`: the thing is theirs, `public`: the
    room is. Raises `Unauthenticated` without a token, `NotFound` for strangers to a hidden thing,
    else `Forbidden`.
    """
    admit(rule, principal)
    granted = _granted(principal, role, admin=admin, own=own, public=public)
    if rule.callers & granted:
        return
    if rule.hidden and not granted & _WHO_KNOWS:
        raise NotFound
    if principal is None:
        raise Unauthenticated
    raise Forbidden


def grantable(own: Role, granted: Role) -> bool:
    """Tell whether a person of one role may make somebody another: nobody goes above their own.

    Ask it of the role that somebody has as well, before taking it away.
    """
    return _RANK.index(granted) <= _RANK.index(own)


def _granted(
    principal: AnyPrincipal | None, role: Role | None, *, admin: bool, own: bool, public: bool
) -> frozenset[Access]:
    """Return everything that a caller counts as."""
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
