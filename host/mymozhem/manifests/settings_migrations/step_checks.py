"""Find steps that are well-formed, but have no effect or an ambiguous one."""

from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from mymozhem.manifests.json_pointer import pointer
from mymozhem.manifests.problems import Problem

from .operations import exactly
from .steps import EACH, is_beside, names_of, through_last_each

Given = Mapping[str, JsonValue]
Names = tuple[str, ...]


def step_problem(step: Given) -> Problem | None:
    """Return the problem of a step, with a pointer into it; None for a step of the wrong shape."""
    op, path = step.get("op"), _names(step.get("path"))
    look = _LOOKS.get(op) if isinstance(op, str) else None
    return look(step, path) if look is not None and path else None


def _rename(step: Given, path: Names) -> Problem | None:
    if path[-1] == EACH:
        message = "properties of one object cannot all have one name"
        return Problem("/path", "STEP_EACH", message, "let the path end in a name")
    if path[-1] == step.get("to"):
        return Problem("/to", "STEP_IDLE", "it has this name already", "write the new name")
    return None


def _carry(step: Given, path: Names) -> Problem | None:
    source = _names(step.get("from"))
    if not source:
        return None
    if source == path:
        message = "the value has this place already"
        return Problem("/path", "STEP_IDLE", message, "write where it goes to")
    if not is_beside(source, path):
        shared = pointer(through_last_each(source))
        message = f"`from` names many places, and each needs a place of its own below {shared}"
        return Problem("/path", "STEP_EACH", message, f"start the path with {shared}")
    inside = path[len(source) :] if path[: len(source)] == source else ()
    if step.get("op") == "move" and EACH in inside:
        message = "a moved value has no elements left to put it into"
        return Problem("/path", "STEP_EACH", message, "name a place without * below `from`")
    return None


def _default(_: Given, path: Names) -> Problem | None:
    if path[-1] != EACH:
        return None
    message = "every place that * matches has a value already, so this does nothing"
    return Problem("/path", "STEP_IDLE", message, "name a property below, such as /prizes/*/title")


def _map(step: Given, _: Names) -> Problem | None:
    values = step.get("values")
    pairs = [pair for pair in values if isinstance(pair, dict)] if isinstance(values, list) else []
    if values == [] and "otherwise" not in step:
        message = "without values this does nothing"
        return Problem("/values", "STEP_IDLE", message, 'write such as {"from": "low", "to": 1}')
    return _said_twice([pair["from"] for pair in pairs if "from" in pair])


def _said_twice(sources: Sequence[JsonValue]) -> Problem | None:
    known: set[object] = set()
    for position, source in enumerate(sources):
        key = exactly(source)
        if key in known:
            place = pointer(["values", position, "from"])
            return Problem(place, "STEP_TWICE", "this value occurs above already", "keep one")
        known.add(key)
    return None


def _names(path: JsonValue) -> Names:
    """Return the names of a path; none if it is no path."""
    try:
        return names_of(path) if isinstance(path, str) else ()
    except ValueError:
        return ()


_LOOKS: Mapping[str, Callable[[Given, Names], Problem | None]] = {
    "rename": _rename,
    "move": _carry,
    "copy": _carry,
    "default": _default,
    "map": _map,
}
