"""The schemas inside a schema: its nodes, their children, and their references."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard
from urllib.parse import unquote

from pydantic import JsonValue

from .json_pointer import Part, pointer

Schema = Mapping[str, JsonValue] | bool

DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
DRAFT_07 = "http://json-schema.org/draft-07/schema"

ONE = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
LIST = frozenset(["allOf", "anyOf", "items", "oneOf", "prefixItems"])
MAP = frozenset(["dependencies", "dependentSchemas", "patternProperties", "properties"])
STORE = frozenset(["$defs", "definitions"])
REFERENCES = frozenset(["$dynamicRef", "$ref"])
ANCHORS = frozenset(["$anchor", "$dynamicAnchor"])


@dataclass(frozen=True)
class Node:
    """A schema inside a schema: its place, its content, and the nodes that it applies.

    `children` are the pointers of nodes that apply to the value or to parts of it. A schema in a
    store (`$defs`) is no child until something refers to it.
    """

    pointer: str
    schema: Schema
    children: tuple[str, ...]

    def keyword(self, name: str) -> JsonValue:
        """Return the value of a keyword; None if the node does not have it."""
        return None if isinstance(self.schema, bool) else self.schema.get(name)


@dataclass(frozen=True)
class Index:
    """The nodes of a schema by pointer, the schema itself first, and the pointers of its anchors.

    `twice` are the nodes whose anchor is in use by an earlier node.
    """

    nodes: Mapping[str, Node]
    anchors: Mapping[str, str]
    twice: frozenset[str]

    def target(self, reference: JsonValue) -> Node | None:
        """Return the node that a reference names; None if it is not in this schema."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        place = unquote(reference[1:])
        return self.nodes.get(self.anchors.get(place, place))

    def applied(self, node: Node) -> Iterator[Node]:
        """Yield the nodes that a node applies, including those that it refers to."""
        yield from (self.nodes[child] for child in node.children)
        referred = (self.target(node.keyword(word)) for word in sorted(REFERENCES))
        yield from (found for found in referred if found is not None)


def index(schema: Schema) -> Index:
    """Return the nodes of a schema; skip values that are no schema where one is expected."""
    found: dict[str, Node] = {}
    for place, here, below in _walk(schema):
        applied = tuple(place + pointer(tail) for tail, _, stored in below if not stored)
        found[place] = Node(place, here, applied)
    return _with_anchors(found)


def count(schema: Schema, *, most: int) -> int:
    """Return how many nodes a schema has; stop counting above `most`."""
    counted = 1
    for _, _, below in _walk(schema):
        counted += len(below)
        if counted > most:
            break
    return counted


def has_longer_name(schema: Schema, *, most: int) -> bool:
    """Return whether a schema inside it has a name of more than `most` characters."""
    return any(len(str(tail[-1])) > most for _, _, below in _walk(schema) for tail, _, _ in below)


def is_draft_07(schema: Schema) -> bool:
    """Return whether a schema declares draft-07."""
    if isinstance(schema, bool):
        return False
    return str(schema.get("$schema", "")).removesuffix("#") == DRAFT_07


def _with_anchors(found: dict[str, Node]) -> Index:
    anchors: dict[str, str] = {}
    twice: set[str] = set()
    for place, node in found.items():
        for name in {node.keyword(word) for word in ANCHORS if isinstance(node.keyword(word), str)}:
            if anchors.setdefault(str(name), place) != place:
                twice.add(place)
    return Index(found, anchors, frozenset(twice))


def _is_schema(value: JsonValue) -> TypeGuard[Schema]:
    return isinstance(value, dict | bool)


Below = list[tuple[tuple[Part, ...], Schema, bool]]


def _walk(schema: Schema) -> Iterator[tuple[str, Schema, Below]]:
    waiting: list[tuple[str, Schema]] = [("", schema)]
    while waiting:
        place, here = waiting.pop()
        below = list(_below(here))
        yield place, here, below
        waiting.extend((place + pointer(tail), child) for tail, child, _ in reversed(below))


def _below(schema: Schema) -> Iterator[tuple[tuple[Part, ...], Schema, bool]]:
    if isinstance(schema, bool):
        return
    for word, value in schema.items():
        if word in ONE and _is_schema(value):
            yield (word,), value, False
        if word in LIST and isinstance(value, list):
            yield from (((word, i), x, False) for i, x in enumerate(value) if _is_schema(x))
        if word in MAP | STORE and isinstance(value, dict):
            yield from (((word, k), x, word in STORE) for k, x in value.items() if _is_schema(x))
