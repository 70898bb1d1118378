"""Functions on a room's settings: complete, merge, project and compare them.

Each function takes a schema, or its outline; a manifest has the outline of its settings.
"""

from collections.abc import Iterator
from copy import deepcopy

from pydantic import JsonValue

from mymozhem.contract import Level

from .json_pointer import Part, pointer
from .schema_nodes import Schema
from .schema_outline import Outline, outline

_MAY_SEE = {
    Level.PUBLIC: frozenset({Level.PUBLIC}),
    Level.ORGANIZER: frozenset({Level.PUBLIC, Level.ORGANIZER}),
    Level.PRIVATE: frozenset(Level),
}


def apply_defaults(schema: Schema | Outline, value: JsonValue) -> JsonValue:
    """Return a copy of the value in which every missing property has its declared default.

    Follows nested objects, lists, `$ref` and `allOf`, but no alternatives. A missing object is
    created if its own defaults satisfy what it requires. Idempotent. SchemaRefused for an unsafe
    schema.
    """
    return complete(outline(schema), value)


def complete(here: Outline, value: JsonValue) -> JsonValue:
    """Return a copy of a part of a value with its defaults; see `apply_defaults`."""
    return _complete(here, deepcopy(value))


def missing(name: str, here: Outline) -> dict[str, JsonValue]:
    """Return what is filled in for a missing property: its name and value, or nothing."""
    if here.default:
        return {name: deepcopy(here.default[0])}
    made = _complete(here, {}) if here.names else {}
    if isinstance(made, dict) and made and here.required <= made.keys():
        return {name: made}
    return {}


def merge_patch(value: JsonValue, patch: JsonValue) -> JsonValue:
    """Return the value with a patch merged in; null removes a field. Source: RFC 7396."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    merged = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), change)
    return merged


def project(schema: Schema | Outline, value: JsonValue, level: Level) -> JsonValue:
    """Return the part of the value that a level may see.

    Each property has its own `x-visibility`, by default organizer, and is never shown at a wider
    level than the object around it. Elements of a list have the level of the list unless their own
    schema is stricter. If alternatives differ, the strictest applies. PRIVATE, the host and the
    app, sees everything. SchemaRefused for an unsafe schema.
    """
    if level is Level.PRIVATE:
        return deepcopy(value)
    whole = outline(schema)
    if whole.visibility not in {None, *_MAY_SEE[level]}:
        return {}
    return _shown(whole, value, _MAY_SEE[level])


def live_only(schema: Schema | Outline, before: JsonValue, after: JsonValue) -> list[str]:
    """Return pointers to differences that are not `x-live`; none means the change may be live.

    `x-live` includes everything below it. Lists of different lengths differ as a whole.
    SchemaRefused for an unsafe schema.
    """
    return [pointer(path) for path in _frozen_changes(outline(schema), before, after, ())]


def _complete(here: Outline, value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_complete(here.item(position), item) for position, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    for name in here.names:
        if name not in value:
            value.update(missing(name, here.property(name)))
    return {name: _complete(here.property(name), part) for name, part in value.items()}


def _shown(here: Outline, value: JsonValue, seen: frozenset[Level]) -> JsonValue:
    if isinstance(value, list):
        return [
            _shown(part, item, seen)
            for part, item in ((here.item(n), item) for n, item in enumerate(value))
            if part.visibility is None or part.visibility in seen
        ]
    if not isinstance(value, dict):
        return value
    return {
        name: _shown(part, item, seen)
        for name, part, item in ((name, here.property(name), item) for name, item in value.items())
        if (part.visibility or Level.ORGANIZER) in seen
    }


def _frozen_changes(
    here: Outline, before: JsonValue, after: JsonValue, path: tuple[Part, ...]
) -> Iterator[tuple[Part, ...]]:
    if here.is_live:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from _property_changes(here.property(name), before, after, (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _frozen_changes(here.item(position), old, new, (*path, position))
    elif isinstance(before, bool) is not isinstance(after, bool) or before != after:
        yield path  # to Python, true is 1


def _property_changes(
    here: Outline, before: dict[str, JsonValue], after: dict[str, JsonValue], path: tuple[Part, ...]
) -> Iterator[tuple[Part, ...]]:
    name = str(path[-1])
    if name in before and name in after:
        yield from _frozen_changes(here, before[name], after[name], path)
    elif not here.is_live:
        yield path
