"""The outline of a schema: defaults, who may see each part, what may change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import JsonValue

from mymozhem.contract import Level
from mymozhem.contract.canonical_json import digest

from .json_pointer import Part, pointer
from .schema_nodes import REFERENCES, Index, Node, Schema, index
from .validators import compile_schema

MAX_KEPT = 256

#: keywords whose schemas describe the same value; only `allOf` applies to every value
_ALWAYS = ("allOf",)
_PERHAPS = ("allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "dependencies")
#: keywords whose schemas apply to some elements only
_OF_SOME = ("contains", "unevaluatedItems")
_STRICTNESS = (Level.PUBLIC, Level.ORGANIZER, Level.PRIVATE)

Pick = Callable[[Node], Iterator[Node]]


@dataclass(frozen=True, eq=False)
class Outline:
    """Everything that a schema says about one part of a value.

    `certain` are the nodes that apply to every value; `possible` adds the nodes of alternatives.
    Visibility counts in every possible node, everything else only in certain ones.
    """

    found: Index
    certain: tuple[Node, ...]
    possible: tuple[Node, ...]
    kept: dict[Part, "Outline"] = field(default_factory=dict)

    @property
    def visibility(self) -> Level | None:
        """Return the strictest level that is named; None if none is."""
        named = [Level(str(said)) for said in _said(self.possible, "x-visibility")]
        return max(named, key=_STRICTNESS.index, default=None)

    @property
    def is_live(self) -> bool:
        """True if this part may change while the room runs."""
        said = list(_said(self.certain, "x-live"))
        return bool(said) and all(word is True for word in said)

    @property
    def default(self) -> tuple[JsonValue, ...]:
        """Return the default as the only item; nothing if there is none (null is a default too)."""
        return tuple(_said(self.certain, "default"))[:1]

    @property
    def required(self) -> frozenset[str]:
        """Return the names that are required for every value."""
        lists = _said(self.certain, "required")
        return frozenset(str(name) for names in lists if isinstance(names, list) for name in names)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the declared properties, in the schema's order."""
        maps = _said(self.certain, "properties")
        return tuple(dict.fromkeys(n for said in maps if isinstance(said, dict) for n in said))

    def property(self, name: str) -> "Outline":
        """Return the outline of a property, declared or not."""
        if name in self.kept:
            return self.kept[name]
        part = self._part(lambda node: _property(self.found, node, name))
        if name in self.names:
            self.kept[name] = part
        return part

    def item(self, position: int) -> "Outline":
        """Return the outline of the element at a position of a list."""
        position = min(position, max(map(_prefix, self.possible), default=0))
        if position not in self.kept:
            self.kept[position] = self._part(lambda node: _item(self.found, node, position))
        return self.kept[position]

    def always_at(self, name: str) -> tuple[Node, ...]:
        """Return the nodes that apply to a property in every value, whatever else there is."""
        starts = [
            part
            for node in self.certain
            for part in _property(self.found, node, name)
            if part.pointer != f"{node.pointer}/unevaluatedProperties"
        ]
        return _same_value(self.found, starts, _ALWAYS)

    def always_in(self) -> Iterator[tuple[Node, ...]]:
        """Yield the nodes that apply to the element at each position of every list."""
        for position in range(max(map(_prefix, self.certain), default=0) + 1):
            starts = [
                part
                for node in self.certain
                for part in _item(self.found, node, position)
                if part.pointer not in (f"{node.pointer}/{word}" for word in _OF_SOME)
            ]
            yield _same_value(self.found, starts, _ALWAYS)

    def _part(self, pick: Pick) -> "Outline":
        certain = [part for node in self.certain for part in pick(node)]
        possible = [part for node in self.possible for part in pick(node)]
        return _outline(self.found, certain, possible)


def outline_at(found: Index, node: Node) -> Outline:
    """Return the outline of a node of a schema that passed `check_schema`."""
    return _outline(found, [node], [node])


def outline(schema: Schema | Outline) -> Outline:
    """Return the outline of a safe schema for the whole value; cached by the schema's digest.

    An outline is returned unchanged: keep one for frequent calls, because the digest costs more
    than the work. SchemaRefused for an unsafe schema.
    """
    if isinstance(schema, Outline):
        return schema
    return _kept(_Keyed(digest(schema), schema))


@dataclass(frozen=True)
class _Keyed:
    digest: str
    schema: Schema = field(compare=False)


@lru_cache(maxsize=MAX_KEPT)
def _kept(keyed: _Keyed) -> Outline:
    compile_schema(keyed.schema)  # raises SchemaRefused: a recursive schema has no outline
    found = index(keyed.schema)
    return outline_at(found, found.nodes[""])


def _outline(found: Index, certain: list[Node], possible: list[Node]) -> Outline:
    return Outline(
        found, _same_value(found, certain, _ALWAYS), _same_value(found, possible, _PERHAPS)
    )


def _same_value(found: Index, start: list[Node], words: tuple[str, ...]) -> tuple[Node, ...]:
    seen: dict[str, Node] = {}
    waiting = list(reversed(start))
    while waiting:
        node = waiting.pop()
        if node.pointer in seen:
            continue
        seen[node.pointer] = node
        referred = [found.target(node.keyword(word)) for word in sorted(REFERENCES)]
        inside = [
            found.nodes[child]
            for child in node.children
            if child.removeprefix(node.pointer).split("/")[1] in words
        ]
        waiting.extend(reversed([part for part in referred if part is not None] + inside))
    return tuple(seen.values())


def _said(nodes: tuple[Node, ...], word: str) -> Iterator[JsonValue]:
    for node in nodes:
        if not isinstance(node.schema, bool) and word in node.schema:
            yield node.schema[word]


def _at(found: Index, node: Node, *path: Part) -> Iterator[Node]:
    part = found.nodes.get(node.pointer + pointer(path))
    if part is not None:
        yield part


def _property(found: Index, node: Node, name: str) -> Iterator[Node]:
    named = list(_at(found, node, "properties", name))
    patterns = node.keyword("patternProperties")
    for text in patterns if isinstance(patterns, dict) else ():
        if compile_schema({"pattern": text}).is_valid(name):
            named += _at(found, node, "patternProperties", text)
    yield from named
    if not named:
        yield from _at(found, node, "additionalProperties")
        yield from _at(found, node, "unevaluatedProperties")


def _prefix(node: Node) -> int:
    lists = (node.keyword(word) for word in ("prefixItems", "items"))
    return max((len(said) for said in lists if isinstance(said, list)), default=0)


def _item(found: Index, node: Node, position: int) -> Iterator[Node]:
    fixed = [*_at(found, node, "prefixItems", position), *_at(found, node, "items", position)]
    yield from fixed
    if not fixed:
        for word in ("items", "additionalItems", "unevaluatedItems", "contains"):
            yield from _at(found, node, word)
