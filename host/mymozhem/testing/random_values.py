"""Creates many different values that satisfy a schema.

The choices are pseudo-random, with a fixed seed: a second run creates the same values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Self

from pydantic import JsonValue

from mymozhem.contract.canonical_json import canonical_json
from mymozhem.manifests.validators import compile_schema

from .schema_values import Maker, Schema, values_for

_ATTEMPTS = 8
_LONGEST = 200
_SHORT = 20
_OPEN_END = 1_000


def various(schema: Schema, *, most: int) -> list[JsonValue]:
    """Return at most `most` different values that satisfy a schema; empty if none was found.

    Those of `values_for` come first.
    """
    chance = Random(0)  # noqa: S311  nothing is secret here
    fits = compile_schema(schema if isinstance(schema, dict | bool) else {}).is_valid
    found = {canonical_json(value): value for value in values_for(schema, most=most)}
    for _ in range(_ATTEMPTS * most):
        if len(found) >= most:
            break
        value = VariousMaker(schema, salt=chance.randrange(_SHORT), chance=chance).make(schema)
        if fits(value):
            found.setdefault(canonical_json(value), value)
    return list(found.values())


@dataclass(frozen=True)
class VariousMaker(Maker):
    """Creates a value with pseudo-random choices."""

    chance: Random = field(default_factory=Random)

    def make(self, schema: Schema) -> JsonValue:
        """Return a value for a part of the schema; null where that is one of several kinds."""
        kinds = schema.get("type") if isinstance(schema, dict) else None
        if isinstance(kinds, list) and "null" in kinds and self._happens(0.3):
            return None
        return super().make(schema)

    def fixed(self, whole: dict[str, JsonValue]) -> list[JsonValue]:
        """Return what stands in the schema itself, now and then; one of `enum` always."""
        if "const" in whole:
            return [whole["const"]]
        options, examples = whole.get("enum"), whole.get("examples")
        if isinstance(options, list) and options:
            return [self.chance.choice(options)]
        if isinstance(examples, list) and examples and self._happens(0.2):
            return [self.chance.choice(examples)]
        return [whole["default"]] if "default" in whole and self._happens(0.2) else []

    def chosen(self, declared: Mapping[str, JsonValue]) -> list[str]:
        """Return most of the properties."""
        return [name for name in declared if self._happens(0.8)]

    def below(self, name: str) -> Self:
        """Return the maker of a property."""
        return self._lucky(super().below(name))

    def item(self, place: int) -> Self:
        """Return the maker of an element of a list."""
        return self._lucky(super().item(place))

    def number(self, whole: dict[str, JsonValue], *, whole_number: bool) -> JsonValue:
        """Return a number that fits: one of the least, or of the most, or between."""
        most = whole.get("maximum", whole.get("exclusiveMaximum"))
        least = whole.get("minimum", whole.get("exclusiveMinimum", 0))
        if isinstance(least, int | float) and isinstance(most, int | float | None):
            high = least + _OPEN_END if most is None else most
            here = self.chance.choice((least, high, self.chance.uniform(least, high)))
            whole = {**whole, "minimum": max(least, min(here, high))}
        lucky = replace(self, salt=0)
        return super(VariousMaker, lucky).number(whole, whole_number=whole_number)

    def text(self, whole: dict[str, JsonValue]) -> JsonValue:
        """Return a text that fits: short, as long as may be, or in other letters."""
        if "pattern" in whole or "format" in whole or self._happens(0.5):
            return super().text(whole)
        least, most = whole.get("minLength", 0), whole.get("maxLength", _LONGEST)
        if not isinstance(least, int) or not isinstance(most, int):
            return super().text(whole)
        length = self.chance.choice((least, min(most, _LONGEST), min(most, least + _SHORT)))
        return ("Ёлка 🎄 " * length)[: max(least, length)]

    def _happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def _lucky(self, maker: Self) -> Self:
        return replace(maker, salt=self.chance.randrange(_SHORT), full=self.chance.randrange(2))
