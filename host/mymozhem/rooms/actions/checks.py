"""Checks of actions: who may perform which one, and when."""

from mymozhem.contract import JsonObject, Role, RoomStatus
from mymozhem.errors import Conflict, Forbidden, Invalid, NotFound
from mymozhem.manifests.enums import Addressee
from mymozhem.manifests.model import ActionSpec, Manifest
from mymozhem.manifests.validation_errors import by_field
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.tables.rooms import RoomRow


def require_allowed(
    manifest: Manifest, membership: Membership, action: str, payload: JsonObject
) -> None:
    """Raise if the caller cannot perform this action now, or not with this payload."""
    spec = manifest.actions.get(action)
    if spec is None:
        message = f"The app has no action {action!r}."
        raise NotFound(message, code="ACTION_NOT_FOUND")
    _require_role(spec, membership.own_role)
    _require_status(spec, membership.room)
    problems = spec.validator.errors(payload)
    if problems:
        raise Invalid(code="PAYLOAD_INVALID", fields=by_field(problems))


def _require_role(spec: ActionSpec, role: Role | None) -> None:
    if role is None or Addressee(role) not in spec.roles:
        message = "Your role may not do this."
        raise Forbidden(message, details={"roles": sorted(spec.roles)})


def _require_status(spec: ActionSpec, room: RoomRow) -> None:
    if RoomStatus(room.status) not in spec.when:
        message = f"This cannot be done while the room is {room.status}."
        raise Conflict(message, code="ACTION_NOT_NOW", details={"when": sorted(spec.when)})
