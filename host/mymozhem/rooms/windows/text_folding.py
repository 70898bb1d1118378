"""Fold texts at places of a submission, and at the same places of the rules."""

from collections.abc import Iterable, Sequence
from typing import cast

from pydantic import JsonValue

from mymozhem.contract import JsonObject, fold_text
from mymozhem.manifests import json_pointer
from mymozhem.manifests.schema_nodes import REFERENCES, index

_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("not", "if", "then", "else")

#: what says one thing of several places, or of a place that only the submission tells
_VAGUE = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "dependencies",
        "dependentSchemas",
        "items",
        "patternProperties",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)


def fold_payload(payload: JsonValue, fold: Iterable[str], locale: str = "") -> JsonValue:
    """Return a payload with the texts at these JSON Pointers folded; missing ones are ignored."""
    for pointer in fold:
        payload = _fold_at(payload, json_pointer.parts(pointer), locale)
    return payload


def fold_rules(rules: JsonObject, fold: Iterable[str], locale: str = "") -> JsonObject:
    """Return rules whose `const` and `enum` are folded at these JSON Pointers. Idempotent.

    Raises ValueError if texts are under a keyword that applies to several places, such as `$ref` or
    `items`: folded for one place they would be wrong for the others.
    """
    fold = tuple(fold)
    vague = _vague(rules) if fold else None
    if vague is not None:
        msg = f"rules that are folded cannot use {vague}; write it out, place by place"
        raise ValueError(msg)
    return fold_known_rules(rules, fold, locale)


def fold_known_rules(rules: JsonObject, fold: Iterable[str], locale: str) -> JsonObject:
    """Return rules folded like `fold_rules`, which has accepted them before."""
    for pointer in fold:
        rules = cast("JsonObject", _fold_schema(rules, json_pointer.parts(pointer), locale))
    return rules


def _fold_at(value: JsonValue, path: Sequence[str], locale: str) -> JsonValue:
    if not path:
        return fold_text(value, locale) if isinstance(value, str) else value
    head, rest = path[0], path[1:]
    if isinstance(value, dict) and head in value:
        return value | {head: _fold_at(value[head], rest, locale)}
    if isinstance(value, list) and head in map(str, range(len(value))):
        at = int(head)
        return [*value[:at], _fold_at(value[at], rest, locale), *value[at + 1 :]]
    return value


def _fold_schema(schema: JsonValue, path: Sequence[str], locale: str) -> JsonValue:
    if not isinstance(schema, dict):
        return schema
    folded = dict(schema)
    if "const" in schema:
        folded["const"] = _fold_at(schema["const"], path, locale)
    choices = schema.get("enum")
    if isinstance(choices, list):
        folded["enum"] = [_fold_at(each, path, locale) for each in choices]
    for name in _LISTS:
        parts = schema.get(name)
        if isinstance(parts, list):
            folded[name] = [_fold_schema(each, path, locale) for each in parts]
    for name in _SINGLE:
        if name in schema:
            folded[name] = _fold_schema(schema[name], path, locale)
    return folded | _fold_below(schema, path, locale)


def _fold_below(schema: JsonObject, path: Sequence[str], locale: str) -> JsonObject:
    """Return the keywords for nested places, with the rest of the path folded."""
    if not path:
        return {}
    head, rest = path[0], path[1:]
    below: JsonObject = {}
    properties = schema.get("properties")
    if isinstance(properties, dict) and head in properties:
        below["properties"] = properties | {head: _fold_schema(properties[head], rest, locale)}
    for word in ("prefixItems", "items"):  # draft-07 has the list in `items`
        parts = schema.get(word)
        if head.isdecimal() and isinstance(parts, list) and int(head) < len(parts):
            at = int(head)
            below[word] = [*parts[:at], _fold_schema(parts[at], rest, locale), *parts[at + 1 :]]
    return below


def _vague(rules: JsonObject) -> str | None:
    """Return the keyword that prevents the folding of rules; None if there is none."""
    nodes = index(rules).nodes
    waiting: list[tuple[str, str | None]] = [("", None)]
    while waiting:
        place, vague = waiting.pop()
        node = nodes[place]
        for word in sorted(REFERENCES):
            if node.keyword(word) is not None:
                return word
        if vague and (_has_text(node.keyword("const")) or _has_text(node.keyword("enum"))):
            return vague
        for child in node.children:
            word = child[len(place) + 1 :].partition("/")[0]
            listed = isinstance(node.keyword(word), list)
            waiting.append((child, word if word in _VAGUE and not listed else vague))
    return None


def _has_text(value: JsonValue) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(map(_has_text, value))
    return isinstance(value, str)
