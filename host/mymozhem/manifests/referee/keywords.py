"""What single keywords accept, before and after: wider, narrower, the same, or unknown.

The schemas here are objects; `COUNTS_FOR` names the kinds of values that a keyword applies to.
"""

import math
from collections.abc import Mapping
from enum import Enum, auto

from pydantic import JsonValue

from .json_values import keyed

Object = Mapping[str, JsonValue]
Bound = tuple[float, bool]


class Verdict(Enum):
    """How the set of accepted values compares to the set accepted before."""

    SAME = auto()
    WIDER = auto()
    NARROWER = auto()
    OTHER = auto()  #: neither contains the other
    UNKNOWN = auto()


def flipped(verdict: Verdict) -> Verdict:
    """Return the verdict on the same two schemas in the opposite order."""
    sides = {Verdict.WIDER: Verdict.NARROWER, Verdict.NARROWER: Verdict.WIDER}
    return sides.get(verdict, verdict)


#: `number` is whole numbers and fractions; 1.0 is a whole number
KINDS: dict[str, frozenset[str]] = {
    "array": frozenset({"array"}),
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"integer"}),
    "null": frozenset({"null"}),
    "number": frozenset({"integer", "fraction"}),
    "object": frozenset({"object"}),
    "string": frozenset({"string"}),
}
ANY_KIND = frozenset[str]().union(*KINDS.values())

NUMERIC = frozenset({"integer", "fraction"})
#: keyword → the kinds of values that it applies to
COUNTS_FOR: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), NUMERIC
    ),
    **dict.fromkeys(("minLength", "maxLength"), KINDS["string"]),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "items"), KINDS["array"]),
    **dict.fromkeys(
        ("minProperties", "maxProperties", "properties", "required", "additionalProperties"),
        KINDS["object"],
    ),
}
LIMITS = frozenset(COUNTS_FOR) - {"items", "properties", "required", "additionalProperties"}


def declared_kinds(schema: Object) -> frozenset[str]:
    """Return the kinds of values that `type` accepts."""
    said = schema.get("type")
    names = said if isinstance(said, list) else [said]
    if said is None:
        return ANY_KIND
    return frozenset[str]().union(*(KINDS.get(str(name), frozenset()) for name in names))


def kinds(schema: Object) -> frozenset[str]:
    """Return the kinds of values that `type`, `enum` and `const` accept together."""
    values = allowed(schema)
    if values is None:
        return declared_kinds(schema)
    return declared_kinds(schema) & {_kind(value) for value in values.values()}


def allowed(schema: Object) -> dict[bytes, JsonValue] | None:
    """Return the only values that `enum` and `const` let through; None where neither is there."""
    lists: list[dict[bytes, JsonValue]] = []
    listed = schema.get("enum")
    if isinstance(listed, list):
        lists.append(keyed(listed))
    if "const" in schema:
        lists.append(keyed([schema["const"]]))
    if not lists:
        return None
    return {key: value for key, value in lists[0].items() if all(key in x for x in lists)}


def type_verdict(old: Object, new: Object) -> Verdict:
    """Compare `type`, as far as `enum` and `const` leave something to it."""
    before, after = declared_kinds(old), declared_kinds(new)
    if kinds(old) <= after:
        return Verdict.WIDER if before < after else Verdict.SAME
    return Verdict.NARROWER if kinds(new) <= before else Verdict.OTHER


def values_verdict(old: Object, new: Object) -> Verdict:
    """Compare `enum` and `const` together."""
    before, after = allowed(old), allowed(new)
    if before is None or after is None:
        return Verdict.WIDER if after is None else Verdict.NARROWER
    return _sets(frozenset(before), frozenset(after))


def limit_verdict(word: str, old: Object, new: Object, *, whole: bool) -> Verdict:
    """Compare one of LIMITS; `whole` where all numbers that count are whole ones."""
    match word:
        case "minimum" | "exclusiveMinimum":
            return _ordered(_lower(new, whole=whole), _lower(old, whole=whole))
        case "maximum" | "exclusiveMaximum":
            return _ordered(_lower(new, whole=whole, up=True), _lower(old, whole=whole, up=True))
        case "multipleOf":
            return _multiples(old.get(word), new.get(word), whole=whole)
        case "uniqueItems":
            return _ordered((_number(new.get(word), 0), False), (_number(old.get(word), 0), False))
    sign, absent = (-1, -math.inf) if word.startswith("max") else (1, 0)
    before, after = (sign * _number(said, sign * absent) for said in (old.get(word), new.get(word)))
    return _ordered((after, False), (before, False))


def _ordered(new: Bound, old: Bound) -> Verdict:
    """Compare two lower bounds; the higher one is the narrower."""
    if new == old:
        return Verdict.SAME
    return Verdict.NARROWER if new > old else Verdict.WIDER


def _lower(schema: Object, *, whole: bool, up: bool = False) -> Bound:
    """Return the lower bound of numbers, or with `up` the negated upper bound."""
    words = ("maximum", "exclusiveMaximum") if up else ("minimum", "exclusiveMinimum")
    bounds: list[Bound] = [(-math.inf, False)]
    for word in words:
        said = schema.get(word)
        if not isinstance(said, int | float):
            continue
        bound, excludes = (-said if up else said), word.startswith("exclusive")
        if whole and math.isfinite(bound):
            bound, excludes = (math.floor(bound) + 1 if excludes else math.ceil(bound)), False
        bounds.append((bound, excludes))
    return max(bounds)


def _multiples(old: JsonValue, new: JsonValue, *, whole: bool) -> Verdict:
    if new is None:
        return Verdict.SAME if whole and old == 1 else Verdict.WIDER
    if old is None:
        if not whole:
            return Verdict.NARROWER
        old = 1
    before, after = _whole_number(old), _whole_number(new)
    if before is None or after is None:
        return Verdict.UNKNOWN
    if before == after:
        return Verdict.SAME
    if before % after == 0:
        return Verdict.WIDER
    return Verdict.NARROWER if after % before == 0 else Verdict.OTHER


def _whole_number(said: JsonValue) -> int | None:
    if isinstance(said, float):
        return int(said) if said.is_integer() else None
    return said if isinstance(said, int) else None


def _number(said: JsonValue, absent: float) -> float:
    return said if isinstance(said, int | float) else absent


def _sets(before: frozenset[bytes], after: frozenset[bytes]) -> Verdict:
    if before == after:
        return Verdict.SAME
    if before < after:
        return Verdict.WIDER
    return Verdict.NARROWER if after < before else Verdict.OTHER


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "fraction" if _whole_number(value) is None else "integer"
        case str():
            return "string"
        case list():
            return "array"
    return "object"
