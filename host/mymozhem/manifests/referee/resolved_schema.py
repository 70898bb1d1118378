"""A schema with its references followed: its meaning, and the defaults that it fills in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.contract.canonical_json import canonical_json, digest
from mymozhem.manifests.declared_settings import OPENERS, SettingsValidator
from mymozhem.manifests.json_pointer import parts
from mymozhem.manifests.schema_nodes import LIST, MAP, ONE, REFERENCES, STORE, Index, Schema, index
from mymozhem.manifests.settings import apply_defaults
from mymozhem.manifests.validators import SchemaRefused

from .schema_place import words_in

#: keywords for people only
TEXTS = frozenset(
    ["$comment", "deprecated", "description", "examples", "readOnly", "title", "writeOnly", "x-ui"]
)
#: keywords of a schema's place and name; a change shows in the references to it
PLACES = STORE | {"$anchor", "$dynamicAnchor", "$id"}

#: bytes of schemas to read at most to prove what is filled in: a second of work
MAX_FILLED = 8 * 1024 * 1024
VISIBILITY = "x-visibility"

#: keywords that `apply_defaults` follows
_FOLLOWED_ONE = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "items",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_FOLLOWED_LIST = ("allOf", "items", "prefixItems")
_FOLLOWED_MAP = ("patternProperties", "properties")
#: keywords by which several schemas describe one part of a value
_MERGING = frozenset(["allOf", "patternProperties"]) | REFERENCES
#: keywords whose schemas describe the same value as the schema around them
_ASIDE = frozenset(
    [
        "allOf",
        "anyOf",
        "contains",
        "dependencies",
        "dependentSchemas",
        "else",
        "if",
        "oneOf",
        "patternProperties",
        "prefixItems",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
#: keywords that describe undeclared properties
_OTHERS = ("additionalProperties", "patternProperties", "unevaluatedProperties")


@dataclass(frozen=True, eq=False)
class Whole:
    """A whole schema, so that references inside its parts can be followed."""

    schema: Schema
    _defaults: dict[int, bool] = field(default_factory=dict)
    _targets: dict[str, JsonValue] = field(default_factory=dict)
    _filled: dict[int, "Filled"] = field(default_factory=dict)

    @cached_property
    def found(self) -> Index:
        """Return the schemas inside it."""
        return index(self.schema)

    @cached_property
    def merges(self) -> bool:
        """True if several parts of it may determine who sees one field."""
        return self.refers or any(
            node.keyword("x-visibility") is not None and bool(_ASIDE & set(parts(node.pointer)))
            for node in self.found.nodes.values()
        )

    @cached_property
    def combines(self) -> bool:
        """True if several parts of it together may say which fields an object has."""
        return self.refers or any(
            _ASIDE & set(parts(node.pointer)) or node.keyword("unevaluatedProperties") is not None
            for node in self.found.nodes.values()
        )

    def others(self, node: Mapping[str, JsonValue]) -> JsonValue:
        """Return what a part of settings says of fields that nobody declared.

        A part that has `properties`, and does not say, takes none (see `declared_settings`).
        """
        if "additionalProperties" in node:
            return node["additionalProperties"]
        return "properties" not in node or any(word in node for word in OPENERS)

    @cached_property
    def refers(self) -> bool:
        """True if some part of it refers to another."""
        return any(node.keyword(word) for node in self.found.nodes.values() for word in REFERENCES)

    @cached_property
    def _stored(self) -> JsonObject:
        return self._said("$schema", *sorted(STORE))

    @cached_property
    def _stored_bytes(self) -> int:
        return len(canonical_json(self._stored))

    def _said(self, *words: str) -> JsonObject:
        around = self.schema if isinstance(self.schema, Mapping) else {}
        return {word: around[word] for word in words if word in around}

    def meaning(self, part: Schema) -> JsonValue:
        """Return a part of it with references followed, without texts and places."""
        return _mapped(part, self.meaning, self._meant)

    def filled(self, part: Schema) -> "Filled":
        """Return what the host fills in if a property with this schema is missing.

        The real engine validates it, as long as it reads at most MAX_FILLED bytes of schemas;
        beyond that, the result is not proved.
        """
        if id(part) not in self._filled:
            self._filled[id(part)] = self._fill(part)
        return self._filled[id(part)]

    def completion(self, part: Schema, *, may_be_missing: bool = False) -> JsonValue:
        """Return what determines the defaults filled in below a part; None if there are none.

        Two parts with the same completion are completed alike. With `may_be_missing`, the required
        properties of the part count, because a missing object is only created if its defaults
        satisfy them.
        """
        if isinstance(part, bool) or not self._has_default(part):
            return None
        merging = any(
            word in node.schema
            for node in index(part).nodes.values()
            if isinstance(node.schema, Mapping)
            for word in _MERGING
        )
        return self._completed(part, merging=merging, counts_required=may_be_missing)

    def _completed(self, part: Schema, *, merging: bool, counts_required: bool) -> JsonValue:
        if isinstance(part, bool) or (not merging and not self._has_default(part)):
            return None

        def below(schema: Schema) -> JsonValue:
            return self._completed(schema, merging=merging, counts_required=True)

        said = _followed(part, below)
        if not merging and not any(word in said for word in _OTHERS):
            declared = said.get("properties")
            if isinstance(declared, dict):
                said["properties"] = {n: x for n, x in declared.items() if x is not None}
        for word in REFERENCES & part.keys():
            said[word] = self._referred(part[word], f"completed {merging}", below)
        if counts_required or merging:
            required = part.get("required", [])
            names = required if isinstance(required, list) else []
            said["required"] = list[JsonValue](sorted(map(str, names)))
        return {word: value for word, value in said.items() if value not in (None, {})}

    def _has_default(self, part: Schema) -> bool:
        if id(part) not in self._defaults:
            self._defaults[id(part)] = self._finds_default(part)
        return self._defaults[id(part)]

    def _finds_default(self, part: Schema) -> bool:
        nodes = index(part).nodes.values()
        if any(_says_default(node.schema) for node in nodes):
            return True
        targets = (self.found.target(node.keyword(word)) for node in nodes for word in REFERENCES)
        return any(self._has_default(target.schema) for target in targets if target is not None)

    def _fill(self, part: Schema) -> "Filled":
        if self.completion(part) is None:
            return Filled((), valid=True)
        refers = any(x.keyword(word) for x in index(part).nodes.values() for word in REFERENCES)
        kept = self._stored if refers else self._said("$schema")
        alone: dict[str, JsonValue] = {**kept, "properties": {_NAME: _plain(part)}}
        read = len(canonical_json(_plain(part))) + (self._stored_bytes if refers else 0)
        if read > MAX_FILLED - sum(each.read for each in self._filled.values()):
            return Filled((), valid=None)
        try:
            completed = apply_defaults(alone, {})
            valid = SettingsValidator(alone).is_valid(completed)
        except SchemaRefused:  # it refers to a schema that is not in this part
            return Filled((), valid=None, read=read)
        values = (completed[_NAME],) if isinstance(completed, dict) and _NAME in completed else ()
        return Filled(values, valid=valid, read=read)

    def _meant(self, _: str, named: JsonValue) -> JsonValue:
        return self._referred(named, "meaning", self.meaning)

    def _referred(
        self, named: JsonValue, what: str, follow: Callable[[Schema], JsonValue]
    ) -> JsonValue:
        """Return a short form of a reference's target: a digest, because the target may be long.

        It also includes who may see the target's parts. `what` names the purpose of following it.
        """
        target = self.found.target(named)
        if target is None:
            return named
        key = f"{what} {target.pointer}"
        if key not in self._targets:
            found = follow(target.schema)
            seen: list[JsonValue] = list(words_in(found, VISIBILITY))
            self._targets[key] = [digest(found), {VISIBILITY: seen} if seen else {}]
        return self._targets[key]


@dataclass(frozen=True)
class Filled:
    """What the host fills in for a missing property; `valid` is None if that is not proved.

    `values` holds the value as its only item, or nothing if the property stays missing. `read` is
    how many bytes of schemas were read for it.
    """

    values: tuple[JsonValue, ...]
    valid: bool | None
    read: int = 0


_NAME = "filled"


def _plain(schema: Schema) -> JsonValue:
    return schema if isinstance(schema, bool) else dict(schema)


def _says_default(schema: Schema) -> bool:
    return isinstance(schema, Mapping) and "default" in schema


def _followed(
    part: Mapping[str, JsonValue], below: Callable[[Schema], JsonValue]
) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {}
    if "default" in part:
        said["default"] = [part["default"]]
    for word in _FOLLOWED_ONE:
        value = part.get(word)
        if isinstance(value, dict):
            said[word] = below(value)
    for word in _FOLLOWED_LIST:
        value = part.get(word)
        if isinstance(value, list):
            said[word] = [below(x) for x in value if isinstance(x, dict | bool)]
    for word in _FOLLOWED_MAP:
        value = part.get(word)
        if isinstance(value, dict):
            said[word] = {n: below(x) for n, x in value.items() if isinstance(x, dict | bool)}
    return {word: value for word, value in said.items() if value is not None}


def _mapped(
    part: Schema,
    follow: Callable[[Schema], JsonValue],
    referred: Callable[[str, JsonValue], JsonValue],
) -> JsonValue:
    if isinstance(part, bool):
        return part
    said: dict[str, JsonValue] = {}
    for word, value in part.items():
        if word in TEXTS or word in PLACES or word == "$schema":
            continue
        if word in REFERENCES:
            said[word] = referred(word, value)
        elif word in ONE and isinstance(value, dict | bool):
            said[word] = follow(value)
        elif word in LIST and isinstance(value, list):
            said[word] = [follow(x) if isinstance(x, dict | bool) else x for x in value]
        elif word in MAP and isinstance(value, dict):
            said[word] = {
                name: follow(x) if isinstance(x, dict | bool) else x for name, x in value.items()
            }
        else:
            said[word] = value
    return said
