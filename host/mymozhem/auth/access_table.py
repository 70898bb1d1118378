"""Who may call what: one row for each route; the host does not start with a route without a row.

The use case finds out who the caller is in the room, in a query that it makes anyway, and calls
`check(rule_for("GET /rooms/{id}"), …)`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from .access_rules import Access, Rule, admit, check, grantable

__all__ = ["ACCESS", "Access", "Rule", "admit", "check", "creation_rule", "grantable", "rule_for"]


def rule_for(endpoint: str) -> Rule:
    """Return the rule of an endpoint, such as `GET /rooms/{id}`; `KeyError` if it has no row."""
    return ACCESS[endpoint]


def creation_rule(room_creation: Literal["registered", "admins"]) -> Rule:
    """Return the rule for creating or copying a room, as the setting `room_creation` narrows it."""
    rule = ACCESS["POST /rooms"]
    if room_creation == "admins":
        return Rule(rule.callers & {Access.ADMIN})
    return rule


_LEADERS = frozenset({Access.ADMIN, Access.ORGANIZER})
_HELPERS = _LEADERS | {Access.MODERATOR}
_MEMBERS = _HELPERS | {Access.PARTICIPANT, Access.VIEWER}
_OWN_SEAT = _MEMBERS | {Access.SELF}

_EVERYBODY = Rule(frozenset({Access.ANONYMOUS}))
_SIGNED_IN = Rule(frozenset({Access.AUTHENTICATED}))
_ADMINS = Rule(frozenset({Access.ADMIN}))
_PERSON = Rule(frozenset({Access.SELF, Access.ADMIN}), hidden=True)
_BY_APPS = Rule(frozenset({Access.APP}))
_OWNED_APP = Rule(frozenset({Access.SELF, Access.ADMIN}))
_MINE = Rule(frozenset({Access.SELF}), hidden=True)


def _room(callers: frozenset[Access]) -> Rule:
    return Rule(callers, hidden=True)


_AUTH = {
    "POST /auth/login": _EVERYBODY,
    "POST /auth/guest": _EVERYBODY,
    "POST /auth/return": _EVERYBODY,  # with a return code
    "POST /auth/sign-up": _EVERYBODY,  # with an invitation
    "POST /auth/sign-up/request": _EVERYBODY,
    "POST /auth/password": Rule(frozenset({Access.REGISTERED})),
    "POST /auth/password/request": _EVERYBODY,
    "POST /auth/password/choose": _EVERYBODY,  # with a link
    "POST /auth/refresh": _EVERYBODY,
    "POST /auth/logout": _EVERYBODY,
    "GET /auth/me": _SIGNED_IN,
    "GET /auth/sessions": _SIGNED_IN,
    "DELETE /auth/sessions": _SIGNED_IN,
    "DELETE /auth/sessions/{id}": _MINE,
    "GET /users/me/export": _SIGNED_IN,
    "GET /users/{id}": _PERSON,
    "PATCH /users/{id}": _PERSON,
    "DELETE /users/{id}": _PERSON,
}

_ROOMS = {
    "POST /rooms": Rule(frozenset({Access.REGISTERED, Access.ADMIN})),
    "GET /rooms": _EVERYBODY,  # lists public rooms, and those of the caller
    "GET /rooms/{id}": _room(_MEMBERS | {Access.OUTSIDER}),
    "PATCH /rooms/{id}": _room(_LEADERS),
    "DELETE /rooms/{id}": _room(_LEADERS),
    "GET /rooms/{id}/lock": _room(_MEMBERS),
    "GET /rooms/{id}/state": _room(_MEMBERS),
    "GET /rooms/{id}/events": _room(_MEMBERS),
    # The action's own `roles` narrow this; admins do not play.
    "POST /rooms/{id}/actions/{action}": _room(
        frozenset({Access.ORGANIZER, Access.MODERATOR, Access.PARTICIPANT})
    ),
    "POST /rooms/{id}/copy": _room(_LEADERS),
    "POST /rooms/{id}/upgrade-manifest": _room(_LEADERS),
    "POST /rooms/{id}/rollback-manifest": _room(_LEADERS),
    "POST /rooms/{id}/import/{setting}": _room(_LEADERS),
    "POST /rooms/{id}/retry": _room(_HELPERS),
    "GET /rooms/{id}/qr.svg": _room(_HELPERS),  # it shows the code
    "GET /rooms/{id}/export": _room(_LEADERS),
}

_PARTICIPANTS = {
    # To join: a stranger to a private room needs its code, which the use case checks. A guest's
    # token is for one room, which they may join again.
    "POST /rooms/{id}/participants": _room(frozenset({Access.REGISTERED, Access.SELF})),
    "GET /rooms/{id}/participants": _room(_MEMBERS | {Access.OUTSIDER}),
    "DELETE /rooms/{id}/participants/me": _room(_OWN_SEAT),
    "GET /rooms/{id}/participants/{pid}": _room(_OWN_SEAT | {Access.OUTSIDER}),
    "PATCH /rooms/{id}/participants/{pid}": _room(_HELPERS | {Access.SELF}),
    "DELETE /rooms/{id}/participants/{pid}": _room(_HELPERS | {Access.SELF}),
    "POST /rooms/{id}/participants/{pid}/approve": _room(_HELPERS),
    "POST /rooms/{id}/participants/{pid}/reject": _room(_HELPERS),
    "POST /rooms/{id}/participants/{pid}/rename": _room(_HELPERS),
    "POST /rooms/{id}/participants/{pid}/seat": _room(_HELPERS),
    "POST /rooms/{id}/participants/import": _room(_HELPERS),
}

_PRIZES = {
    "POST /rooms/{id}/prizes": _room(_HELPERS),
    "GET /rooms/{id}/prizes": _room(_MEMBERS | {Access.OUTSIDER}),
    "GET /rooms/{id}/prizes/{prizeId}": _room(_MEMBERS | {Access.OUTSIDER}),
    "PATCH /rooms/{id}/prizes/{prizeId}": _room(_HELPERS),
    "DELETE /rooms/{id}/prizes/{prizeId}": _room(_HELPERS),
}

_WINNERS = {
    "POST /rooms/{id}/winners": _room(_HELPERS),
    "GET /rooms/{id}/winners": _room(_MEMBERS | {Access.OUTSIDER}),
    "GET /rooms/{id}/winners/{wid}": _room(_MEMBERS | {Access.OUTSIDER}),
    "DELETE /rooms/{id}/winners/{wid}": _room(_HELPERS),
    "POST /rooms/{id}/winners/{wid}/fulfill": _room(_HELPERS),
    "POST /rooms/{id}/winners/{wid}/move": _room(_HELPERS),
}

_DRAWS = {
    "POST /rooms/{id}/draws": _room(_HELPERS),
    "GET /rooms/{id}/draws": _room(_MEMBERS),
    "GET /rooms/{id}/draws/{did}": _room(_MEMBERS),
    "POST /rooms/{id}/draws/{did}/run": _room(_HELPERS),
    "POST /rooms/{id}/draws/{did}/reveal": _room(_HELPERS),
    "POST /rooms/{id}/draws/{did}/void": _room(_HELPERS),
    "POST /rooms/{id}/draws/{did}/retry": _room(_HELPERS),
    "GET /rooms/{id}/draws/{did}/record": _EVERYBODY,  # so that strangers can verify it
}

_WINDOWS = {
    "GET /rooms/{id}/windows": _room(_MEMBERS),
    "GET /rooms/{id}/windows/{windowId}": _room(_MEMBERS),
    "GET /rooms/{id}/windows/{windowId}/submissions": _room(_MEMBERS),
    "GET /rooms/{id}/standings": _room(_MEMBERS),
    # The window's own `roles` narrow this; admins do not play.
    "POST /rooms/{id}/windows/{windowId}/submissions": _room(_MEMBERS - {Access.ADMIN}),
    "POST /rooms/{id}/windows/{windowId}/pause": _room(_HELPERS),
    "POST /rooms/{id}/windows/{windowId}/resume": _room(_HELPERS),
    "POST /rooms/{id}/windows/{windowId}/extend": _room(_HELPERS),
    "POST /rooms/{id}/windows/{windowId}/close": _room(_HELPERS),
    "POST /rooms/{id}/windows/{windowId}/settle": _room(_HELPERS),
    "POST /rooms/{id}/windows/{windowId}/reveal": _room(_HELPERS),
    "POST /rooms/{id}/windows/{windowId}/rejudge": _room(_HELPERS),
}

_APPS = {
    "GET /apps": _SIGNED_IN,
    "GET /apps/{appId}": _SIGNED_IN,
    "GET /apps/{appId}/versions": _SIGNED_IN,
    "GET /apps/{appId}/versions/{v}": _SIGNED_IN,
    # Costly work is for people with an account: anybody can become many guests.
    "GET /apps/{appId}/diff": Rule(frozenset({Access.REGISTERED, Access.ADMIN})),
    "POST /apps/validate-manifest": Rule(frozenset({Access.REGISTERED, Access.ADMIN})),
    "POST /apps": _ADMINS,
    "PATCH /apps/{appId}": _OWNED_APP,
    "DELETE /apps/{appId}": _OWNED_APP,
    "POST /apps/{appId}/regenerate-secret": _OWNED_APP,
    "POST /apps/{appId}/deprecate-version": _OWNED_APP,
    "POST /apps/{appId}/upgrade-rooms": _ADMINS,
    "GET /apps/{appId}/health": _OWNED_APP,
    "POST /apps/token": _EVERYBODY,  # an app that has its secret
    "POST /callbacks/{capability}/{deliveryId}": _BY_APPS,
}

_PLATFORM = {
    "GET /notifications": _SIGNED_IN,
    "POST /notifications/{id}/read": _MINE,
    "GET /admin/audit": _ADMINS,
    "GET /admin/invitations": _ADMINS,
    "POST /admin/invitations": _ADMINS,
    "DELETE /admin/invitations/{id}": _ADMINS,
    "GET /admin/users": _ADMINS,
    "GET /admin/users/{id}/history": _ADMINS,
    "POST /admin/users/{id}/deactivate": _ADMINS,
    "POST /admin/users/{id}/activate": _ADMINS,
    "POST /admin/users/{id}/revoke": _ADMINS,
    "GET /admin/overview": _ADMINS,
    "GET /admin/webhooks": _ADMINS,
    "GET /admin/alerts": _ADMINS,
    "POST /admin/alerts/{id}/acknowledge": _ADMINS,
    "GET /admin/breakers": _ADMINS,
    "POST /admin/breakers/reset": _ADMINS,
    "GET /admin/deliveries": _ADMINS,
    "GET /admin/deliveries/{id}": _ADMINS,
    "GET /admin/dead-letters": _ADMINS,
    "POST /admin/dead-letters/retry": _ADMINS,
    "POST /admin/dead-letters/{id}/retry": _ADMINS,
    "DELETE /admin/dead-letters/{id}": _ADMINS,
    "POST /admin/apps/{appId}/stop": _ADMINS,
    "POST /admin/apps/{appId}/start": _ADMINS,
    "GET /lists/{listId}": _EVERYBODY,  # its address is signed
    "GET /": _EVERYBODY,
    "GET /api/versions": _EVERYBODY,
    "GET /health/live": _EVERYBODY,
    "GET /health/ready": _EVERYBODY,
    "GET /metrics": _EVERYBODY,  # its handler requires the operator's token or a local request
    "GET /openapi.json": _EVERYBODY,
    "GET /docs": _EVERYBODY,
    "GET /.well-known/jwks.json": _EVERYBODY,
}

ACCESS: Mapping[str, Rule] = MappingProxyType(
    _AUTH | _ROOMS | _PARTICIPANTS | _PRIZES | _WINNERS | _DRAWS | _WINDOWS | _APPS | _PLATFORM
)
