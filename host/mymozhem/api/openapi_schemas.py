"""The schemas of the description: named after the product, and true for generated clients.

pydantic and quart-schema describe models as Python sees them: a field that may be left out has
`default: null`, bodies and envelopes have no name of their own, names are those of our classes.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_REF: Final = "#/components/schemas/"

#: classes whose names say nothing to somebody who reads the description alone
_NAMES: Final = {
    "AppWhole": "AppDetails",
    "Audit": "AuditEntry",
    "Bulk": "BulkUpgrade",
    "BreakerBody": "BreakerName",
    "CopyBody": "RoomCopy",
    "DeliveryWhole": "DeliveryDetails",
    "Entered": "JoinedRoom",
    "ErrorBody": "ErrorResponse",
    "ExtendBody": "WindowExtension",
    "Fault": "Error",
    "Figures": "CallFigures",
    "GuestBody": "GuestJoin",
    "ImportBody": "ParticipantsImport",
    "ImportSettingBody": "SettingImport",
    "JoinBody": "RoomJoin",
    "ManifestBody": "NewVersion",
    "Me": "OwnSeat",
    "MoveBody": "WinnerMove",
    "Name": "ParticipantName",
    "Payload": "ActionPayload",
    "ReasonBody": "Reason",
    "Record": "DrawRecord",
    "RenameBody": "ParticipantRename",
    "RetryBody": "DrawRetry",
    "RevealBody": "DrawReveal",
    "Revoked": "RevokedWinner",
    "RunBody": "DrawRun",
    "AppTokenBody": "AppSignIn",
    "StopBody": "AppStop",
    "SubmissionBody": "NewSubmission",
    "DeprecationBody": "VersionDeprecation",
    "Sufferer": "AffectedRoom",
    "Switch": "AppSwitch",
}


class NameTaken(ValueError):
    """Two different schemas of the description would have the same name."""


class Components:
    """The named schemas of a description."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def add(self, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Name a schema and return a reference to it; raises `NameTaken`."""
        known = self.schemas.setdefault(name, dict(schema))
        if known != schema:
            raise NameTaken(f"{name} is the name of another schema: rename one of them")
        return {"$ref": _REF + name}


def public_name(name: str) -> str:
    """Return the name of a class's schema, as the product calls it."""
    bare = name.removesuffix("View")
    return _NAMES.get(bare, bare.removesuffix("Body"))


def response_name(data: Mapping[str, Any], *, listed: bool, fallback: str) -> str:
    """Return the name of an envelope: `RoomPage` for a page of rooms, `RoomResponse` for one."""
    ref = data.get("items", data).get("$ref", "") if "items" in data or "$ref" in data else ""
    bare = ref.rpartition("/")[2] or fallback[:1].upper() + fallback[1:]
    if listed:
        return f"{bare}Page"
    return f"{bare}List" if "items" in data else f"{bare}Response"


def true_schema(schema: Any, *, body: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Return a schema without what is not true, or means nothing outside of Python.

    Titles repeat names. `default: null` stands for a field that is left out. The descriptions of a
    `body` contain its defaults, because generators read a default as a field that is always there.
    """
    if isinstance(schema, list):
        return [true_schema(each, body=body) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "properties" and isinstance(value, dict):
            found[name] = {each: true_schema(part, body=body) for each, part in value.items()}
        elif name in ("examples", "enum", "const", "default"):
            found[name] = value
        elif name != "title":
            found[name] = true_schema(value, body=body)
    if found.get("default", "") is None:
        del found["default"]
    if body and "default" in found:
        default = json.dumps(found.pop("default"))
        about = found.get("description", "")
        found["description"] = f"{about} By default `{default}`.".strip()
    return found


def never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, which is left out or has a value."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) != 1:
        return schema
    return {**{name: each for name, each in schema.items() if name != "anyOf"}, **options[0]}


def renamed(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a description whose schemas have their public names, without losing one."""
    if isinstance(value, list):
        return [renamed(each) for each in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, each in value.items():
        if name == "$ref" and isinstance(each, str) and each.startswith(_REF):
            found[name] = _REF + public_name(each.removeprefix(_REF))
        elif name == "schemas":
            known = Components()
            for old, schema in each.items():
                known.add(public_name(old), renamed(schema))
            found[name] = known.schemas
        else:
            found[name] = renamed(each)
    return found


def references(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the names of all schemas that a part of the description refers to."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name == "$ref" and isinstance(each, str) and each.startswith(_REF):
                yield each.removeprefix(_REF)
            else:
                yield from references(each)
