"""Layer 1 of validation: a manifest against the schema of its format, with the schema's hints."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice

from pydantic import JsonValue

from mymozhem.resources import resource_root

from .json_pointer import Part, parts
from .problems import Problem
from .schema_engine import build
from .validation_errors import Fault, faults

FORMAT_VERSION = 1
MAX_REPORTED = 100

#: read when this module is imported, so that validation itself opens no file
MANIFEST_SCHEMA: dict[str, JsonValue] = json.loads(
    resource_root()
    .joinpath(f"v{FORMAT_VERSION}", "manifest.schema.json")
    .read_text(encoding="utf-8")
)
_VALIDATOR = build(MANIFEST_SCHEMA)

_MESSAGES = {
    "ENUM": "this is none of the values that are known here",
    "PATTERN": "this is not written as it should be",
    "UNIQUE_ITEMS": "something stands here twice",
}


def format_problems(document: JsonValue) -> tuple[Problem, ...]:
    """Return where a document violates the manifest's schema; at most a hundred problems."""
    found = (fault for error in _VALIDATOR.iter_errors(document) for fault in faults(error))
    return tuple(dict.fromkeys(_told(fault) for fault in islice(found, MAX_REPORTED)))


def _told(fault: Fault) -> Problem:
    problem, (here, *around) = fault.problem, _around(fault.schema_path)
    name = parts(problem.pointer)[-1] if problem.pointer else ""
    message = _MESSAGES.get(problem.code, problem.message)
    match problem.code:
        case "UNKNOWN_FIELD":
            return Problem(problem.pointer, problem.code, message, _nearest(here, name))
        case "REQUIRED":
            return Problem(problem.pointer, problem.code, message, _about(here, name))
    code = str(here.get("x-code", problem.code))
    hint = next((str(node["x-hint"]) for node in (here, *around) if "x-hint" in node), "")
    return Problem(problem.pointer, code, message, hint)


def _around(path: Sequence[Part]) -> Iterator[Mapping[str, JsonValue]]:
    """Yield the schema objects around a keyword, the innermost first."""
    found: list[Mapping[str, JsonValue]] = [MANIFEST_SCHEMA]
    for part in path[:-1]:
        below = found[-1].get(str(part))
        found.append(below if isinstance(below, dict) else {})
    return reversed(found)


def _declared(node: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    properties = node.get("properties")
    return properties if isinstance(properties, dict) else {}


def _nearest(node: Mapping[str, JsonValue], name: str) -> str:
    known = sorted(_declared(node))
    near = get_close_matches(name[:64], known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _about(node: Mapping[str, JsonValue], name: str) -> str:
    said = _declared(node).get(name)
    if not isinstance(said, dict):
        return ""
    referred = MANIFEST_SCHEMA["$defs"]
    target = str(said.get("$ref", "")).removeprefix("#/$defs/")
    more = referred.get(target, {}) if isinstance(referred, dict) else {}
    merged = {**(more if isinstance(more, dict) else {}), **said}
    return str(merged.get("x-hint") or merged.get("description") or "")
