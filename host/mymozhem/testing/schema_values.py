"""Values that satisfy a schema: what is asked of an app is made of them.

They are made, then checked by the host's own validators: what could not be made right is left out.
The same schema gives the same values every time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from pydantic import JsonValue

from mymozhem.manifests.settings import merge_patch
from mymozhem.manifests.validators import compile_schema

from .format_values import FORMATS
from .pattern_values import text_for

Schema = JsonValue

_DEPTH = 12
_KEYWORDS = {
    "object": ("properties", "required", "minProperties"),
    "array": ("items", "prefixItems", "minItems"),
    "string": ("pattern", "minLength", "format"),
    "number": ("minimum", "maximum", "multipleOf", "exclusiveMinimum"),
}


def values_for(
    schema: Schema, *, known: Mapping[str, JsonValue] | None = None, most: int = 4
) -> list[JsonValue]:
    """Return at most `most` different values that satisfy a schema; empty if none was found.

    First come its own `examples`, then a value with every property, then the smallest. `known` are
    values by the name of a property: real ids, for instance.
    """
    makers = [
        Maker(schema, known or {}, full=full, salt=salt) for salt in range(3) for full in (1, 0)
    ]
    said = schema.get("examples") if isinstance(schema, dict) else None
    made = [*(said if isinstance(said, list) else ()), *(maker.make(schema) for maker in makers)]
    fits = compile_schema(schema if isinstance(schema, dict | bool) else {}).is_valid
    found: list[JsonValue] = []
    for value in made:
        if fits(value) and value not in found:
            found.append(value)
    return found[:most]


@dataclass(frozen=True)
class Maker:
    """Makes one value; `full` says everything that may be said, `salt` chooses among choices."""

    root: Schema
    known: Mapping[str, JsonValue] = field(default_factory=dict)
    full: int = 0
    salt: int = 0
    depth: int = 0
    name: str = ""

    def make(self, schema: Schema) -> JsonValue:
        """Return a value for a part of the schema, as good as it can be guessed."""
        if not isinstance(schema, dict) or self.depth > _DEPTH:
            return "text" if self.depth else {}
        whole = self._merged(schema)
        fixed = self.fixed(whole)
        if fixed:
            return fixed[0]
        return self._of_type(_type_of(whole), whole)

    def _merged(self, schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Return a schema with what it refers to and one of its alternatives inside."""
        whole = dict(schema)
        for _ in range(_DEPTH):
            parts = self._parts(whole)
            if not parts:
                break
            for part in parts:
                whole = _joined(whole, part) if isinstance(part, dict) else whole
        return whole

    def _parts(self, whole: dict[str, JsonValue]) -> list[JsonValue]:
        parts: list[JsonValue] = []
        reference = whole.pop("$ref", None)
        if isinstance(reference, str):
            parts.append(_resolved(self.root, reference))
        every = whole.pop("allOf", None)
        parts += every if isinstance(every, list) else []
        for keyword in ("anyOf", "oneOf"):
            some = whole.pop(keyword, None)
            if isinstance(some, list) and some:
                parts.append(some[self.salt % len(some)])
        condition = whole.pop("if", None)
        then, otherwise = whole.pop("then", None), whole.pop("else", None)
        if condition is not None and self.salt % 2 == 0:
            parts += [condition, then]
        elif condition is not None:
            parts.append(otherwise)
        return parts

    def fixed(self, whole: dict[str, JsonValue]) -> list[JsonValue]:
        """Return the values in the schema itself, in a list; empty if there are none."""
        if "const" in whole:
            return [whole["const"]]
        if self.name in self.known and _may_be(whole, self.known[self.name]):
            return [self.known[self.name]]
        examples = whole.get("examples")
        if isinstance(examples, list) and examples and self.depth:
            return [examples[self.salt % len(examples)]]
        plain = not isinstance(whole.get("default"), list | dict)
        if "default" in whole and self.salt == 0 and (plain or not self.full):
            return [whole["default"]]
        options = whole.get("enum")
        if isinstance(options, list) and options:
            return [options[self.salt % len(options)]]
        return []

    def _of_type(self, kind: str, whole: dict[str, JsonValue]) -> JsonValue:
        if kind == "object":
            return self._object(whole)
        if kind == "array":
            return self._array(whole)
        if kind in ("integer", "number"):
            return self.number(whole, whole_number=kind == "integer")
        if kind == "boolean":
            return self.salt % 2 == 0
        return None if kind == "null" else self.text(whole)

    def _object(self, whole: dict[str, JsonValue]) -> JsonValue:
        properties = whole.get("properties")
        declared = properties if isinstance(properties, dict) else {}
        required = whole.get("required")
        needed = [each for each in required if isinstance(each, str)] if isinstance(
            required, list
        ) else []  # fmt: skip
        names = self.chosen(declared)
        made = {
            name: self.below(name).make(declared.get(name, whole.get("additionalProperties")))
            for name in dict.fromkeys((*names, *needed))
            if declared.get(name) is not False
        }
        extra = whole.get("additionalProperties")
        while len(made) < _integer(whole, "minProperties"):
            name = f"key{len(made)}"
            made[name] = self.below(name).make(extra)
        return made

    def _array(self, whole: dict[str, JsonValue]) -> JsonValue:
        places = whole.get("prefixItems")
        first = places if isinstance(places, list) else []
        wanted = max(_integer(whole, "minItems"), len(first), 2 * self.full)
        count = min(wanted, _integer(whole, "maxItems", wanted))
        items = whole.get("items", True)
        return [
            self.item(place).make(first[place] if place < len(first) else items)
            for place in range(count)
        ]

    def number(self, whole: dict[str, JsonValue], *, whole_number: bool) -> JsonValue:
        """Return a number that fits, near the least."""
        low = _number_of(whole, "minimum", _number_of(whole, "exclusiveMinimum", None, 1))
        high = _number_of(whole, "maximum", _number_of(whole, "exclusiveMaximum", None, -1))
        number = (low if low is not None else min(1, high) if high is not None else 1) + self.salt
        if high is not None:
            number = min(number, high)
        step = _number_of(whole, "multipleOf", None)
        if step:
            number = -(-number // step) * step
        return int(number) if whole_number or number == int(number) else number

    def text(self, whole: dict[str, JsonValue]) -> JsonValue:
        """Return a text that fits."""
        least = _integer(whole, "minLength")
        pattern, form = whole.get("pattern"), whole.get("format")
        if isinstance(pattern, str):
            text = text_for(pattern, least=max(least, 1), salt=self.salt) or ""
        elif isinstance(form, str) and form in FORMATS:
            return FORMATS[form](self.salt)
        else:
            text = " ".join(filter(None, (self.name or "text", str(self.salt or ""))))
            text = text.ljust(least, "x")
        return text[: _integer(whole, "maxLength", len(text))]

    def chosen(self, declared: Mapping[str, JsonValue]) -> list[str]:
        """Return which declared properties are said, beside those that must be."""
        return list(declared) if self.full else []

    def below(self, name: str) -> Self:
        """Return the maker of a property."""
        return replace(self, depth=self.depth + 1, name=name)

    def item(self, place: int) -> Self:
        """Return the maker of an element of a list."""
        return replace(self, depth=self.depth + 1, name="", salt=self.salt + place)


def _joined(whole: dict[str, JsonValue], part: dict[str, JsonValue]) -> dict[str, JsonValue]:
    joined = {**whole, **part}
    for keyword in ("properties", "required"):
        one, other = whole.get(keyword), part.get(keyword)
        if isinstance(one, list) and isinstance(other, list):
            joined[keyword] = [*one, *other]
        elif isinstance(one, dict) and isinstance(other, dict):
            joined[keyword] = merge_patch(one, other)
    return joined


def _resolved(root: Schema, reference: str) -> JsonValue:
    found: JsonValue = root
    for part in reference.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(key)
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return True
    return found


def _type_of(whole: dict[str, JsonValue]) -> str:
    said = whole.get("type")
    if isinstance(said, list):
        said = next((each for each in said if each != "null"), "null")
    if isinstance(said, str):
        return said
    for kind, keywords in _KEYWORDS.items():
        if any(keyword in whole for keyword in keywords):
            return kind
    return "string"


def _may_be(whole: dict[str, JsonValue], value: JsonValue) -> bool:
    return _type_of(whole) == "string" and isinstance(value, str) and "enum" not in whole


def _integer(whole: dict[str, JsonValue], keyword: str, otherwise: int = 0) -> int:
    value = whole.get(keyword)
    return int(value) if isinstance(value, int | float) else otherwise


def _number_of(
    whole: dict[str, JsonValue], keyword: str, otherwise: float | None, shift: float = 0
) -> float | None:
    value = whole.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    return value + shift
