"""What an app may do on behalf of a person who sends its token beside their own.

Allowed is what both may do: the person by their role, the app by the permissions of its manifest,
in rooms that use the app.
"""

from .access_rules import Access, AppPermissionDenied, Rule
from .principal import AppPrincipal

#: what the routes below a room read and write
_OF_ROOM = {
    "participants": "participants",
    "prizes": "prizes",
    "winners": "winners",
    "draws": "winners",
    "windows": "rooms",
    "standings": "rooms",
}
_PEOPLE = ("GET /auth/me", "GET /users/{id}")


def permission_for(endpoint: str) -> str | None:
    """Return the permission that an endpoint takes, such as `prizes:write`; None if none allows it.

    Managing apps, accounts, phones of guests and the platform is between the person and the host.
    """
    method, _, path = endpoint.partition(" ")
    if endpoint in _PEOPLE:
        return "users:read"
    parts = path.strip("/").split("/")
    if parts[0] != "rooms" or parts[-1] == "seat":
        return None
    if parts[-1] == "submissions" and method == "POST":
        return "participants:write"
    what = _OF_ROOM.get(parts[2], "rooms") if len(parts) > 2 else "rooms"  # noqa: PLR2004  /rooms/{id}/what
    return f"{what}:{'read' if method == 'GET' else 'write'}"


def require_permission(endpoint: str, rule: Rule, app: AppPrincipal) -> None:
    """Raise `AppPermissionDenied` unless an app may use an endpoint on behalf of a person.

    What is open to everybody is open to apps as well.
    """
    if Access.ANONYMOUS in rule.callers and not endpoint.endswith(" /rooms"):
        return
    required = permission_for(endpoint)
    if required is None or required not in app.permissions:
        raise AppPermissionDenied(app.permissions, required=required, app_id=app.app_id)
