"""Layer 3 of validation: the schemas in a manifest are safe, and their defaults are valid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote

import jsonschema_rs
from pydantic import JsonValue

from mymozhem.contract.canonical_json import canonical_json

from .declared_settings import undeclared
from .impossible_defaults import impossible_defaults
from .json_pointer import pointer
from .problems import Problem, under
from .schema_engine import build, without_id
from .schema_nodes import (
    DRAFT_07,
    DRAFT_2020_12,
    Index,
    Node,
    Schema,
    count,
    has_longer_name,
    index,
    is_draft_07,
)
from .schema_outline import outline_at
from .schema_safety import MAX_NAME, MAX_NODES, MAX_PATTERNS, check_schema, patterns_of, work_of
from .settings import complete
from .validation_errors import faults

#: the maximum of schemas × bytes of defaults, so that a small manifest cannot take long
MAX_DEFAULT_WORK = 5_000_000
MAX_REPORTED = 20
_SETTINGS = "/settings"
_WHOLE = "urn:mymozhem:schema"


@dataclass(frozen=True)
class Place:
    """A schema in a manifest, and its place there."""

    pointer: str
    schema: Schema


def places(document: Mapping[str, JsonValue]) -> Iterator[Place]:
    """Yield the schemas of a manifest: of settings, registration, state and payloads."""
    for name in ("settings", "registration", "state"):
        said = document.get(name)
        if isinstance(said, dict):
            yield Place(pointer([name]), said)
    for name in ("actions", "events"):
        said = document.get(name)
        for key, spec in said.items() if isinstance(said, dict) else ():
            payload = spec.get("payload") if isinstance(spec, dict) else None
            if isinstance(payload, dict):
                yield Place(pointer([name, key, "payload"]), payload)


def schema_problems(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    """Yield the problems of a manifest's schemas and of the defaults inside them."""
    found = tuple(places(document))
    for place in found:
        if has_longer_name(place.schema, most=MAX_NAME):
            yield from under(place.pointer, check_schema(place.schema))
            return
    together = _too_many(found)
    if together is not None:
        yield together
        return
    for place in found:
        is_settings = place.pointer == _SETTINGS
        problems = check_schema(place.schema) or tuple(
            _default_problems(place.schema, is_settings=is_settings)
        )
        yield from under(place.pointer, problems)


def _too_many(found: tuple[Place, ...]) -> Problem | None:
    if sum(count(place.schema, most=MAX_NODES) for place in found) > MAX_NODES:
        message = f"there are more than {MAX_NODES:,} schemas in one manifest"
        return Problem("", "SCHEMA_TOO_LARGE", message, "share them under $defs, or drop some")
    nodes = (node for place in found for node in index(place.schema).nodes.values())
    if sum(1 for node in nodes for _ in patterns_of(node)) > MAX_PATTERNS:
        message = f"there are more than {MAX_PATTERNS} patterns in one manifest"
        return Problem("", "PATTERNS_TOO_MANY", message, "use enum, format or maxLength instead")
    return None


def _default_problems(schema: Schema, *, is_settings: bool) -> Iterator[Problem]:
    found = index(schema)
    work = work_of(found)
    defaults = [node for node in found.nodes.values() if _has_default(node)]
    asked = sum(
        work[node.pointer].applied * len(canonical_json(node.keyword("default")))
        for node in defaults
    )
    if asked > MAX_DEFAULT_WORK:
        message = "the defaults are too long for schemas this large"
        yield Problem("", "DEFAULTS_TOO_LARGE", message, "give shorter defaults")
        return
    registry = _registry(schema)
    yield from islice(
        (problem for node in defaults for problem in _wrong_default(found, node, registry)),
        MAX_REPORTED,
    )
    if is_settings:
        yield from islice(
            (problem for node in defaults for problem in _undeclared_default(found, node)),
            MAX_REPORTED,
        )
        yield from islice(impossible_defaults(found), MAX_REPORTED)


def _undeclared_default(found: Index, node: Node) -> Iterator[Problem]:
    """Yield the names in a default of settings that the settings would not take."""
    for each in undeclared(outline_at(found, node), node.keyword("default")):
        yield Problem(
            f"{node.pointer}/default{each.pointer}",
            "DEFAULT_INVALID",
            f"the default breaks its own schema: {each.message}",
            "declare the setting, or say additionalProperties: true",
        )


def _has_default(node: Node) -> bool:
    return not isinstance(node.schema, bool) and "default" in node.schema


def _registry(schema: Schema) -> jsonschema_rs.Registry:
    draft = jsonschema_rs.Draft7 if is_draft_07(schema) else jsonschema_rs.Draft202012
    whole = schema if isinstance(schema, bool) else without_id(schema)
    return jsonschema_rs.Registry([(_WHOLE, whole)], draft=draft)


def _wrong_default(found: Index, node: Node, registry: jsonschema_rs.Registry) -> Iterator[Problem]:
    dialect = DRAFT_07 if is_draft_07(found.nodes[""].schema) else DRAFT_2020_12
    reference = {"$schema": dialect, "$ref": f"{_WHOLE}#{quote(node.pointer)}"}
    completed = complete(outline_at(found, node), node.keyword("default"))
    try:
        build(reference, registry=registry).validate(completed)
    except jsonschema_rs.ValidationError as error:  # one is enough; there may be millions
        for fault in islice(faults(error), MAX_REPORTED):
            yield Problem(
                f"{node.pointer}/default{fault.problem.pointer}",
                "DEFAULT_INVALID",
                f"the default breaks its own schema: {fault.problem.message}",
                "give a default that the schema accepts, or none",
            )
