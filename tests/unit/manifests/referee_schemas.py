"""Schemas, changes of schemas, and values of schemas, made from a seed.

Values are made by what a schema says, and checked by the real engine by whoever uses them: some
that are made are not valid, and that costs nothing but time.
"""

import random
from collections.abc import Callable
from copy import deepcopy

Schema = dict | bool

NAMES = ("a", "b", "c", "d")
TYPES = ("string", "integer", "number", "boolean", "null", "array", "object")
SCALARS = ("x", "yy", "zzz", "", 0, 1, 2, 3, 5, 1.0, 1.5, -1, -2.5, True, False, None)
VISIBILITIES = ("public", "organizer", "private")
SHARED = {
    "$defs": {
        "s": {"maxLength": 2, "x-visibility": "public"},
        "n": {"type": "integer", "default": 1},
    }
}
NUMBERS = (-3, -1, 0, 1, 2, 2.5, 3, 4, 6)


def root(rng: random.Random) -> dict:
    """Return a schema of an object."""
    said = _object(rng, 3)
    if rng.random() < 0.8:
        said["type"] = "object"
    if rng.random() < 0.15:
        said["maxProperties"] = rng.choice((1, 2, 3))
    if rng.random() < 0.15:
        said |= _uncovered(rng, 1)
    if rng.random() < 0.15:
        nodes = _nodes(said)[1:]
        for node in rng.sample(nodes, min(2, len(nodes))):
            _refer(rng, node)
        said |= deepcopy(SHARED)
    if rng.random() < 0.05:
        said["$schema"] = "http://json-schema.org/draft-07/schema#"
    return said


def schema(rng: random.Random, depth: int) -> Schema:
    """Return any schema, with at most so many levels."""
    chance = rng.random()
    if chance < 0.04:
        return rng.random() < 0.6
    if chance < 0.10:
        said = {"enum": some(rng, SCALARS)}
        if rng.random() < 0.2:
            said["enum"].append({"a": 1} if rng.random() < 0.5 else [1])
    elif chance < 0.13:
        said = {"const": rng.choice(SCALARS)}
    else:
        said = _typed(rng, depth)
    if rng.random() < 0.05:
        said |= _uncovered(rng, depth)
    if rng.random() < 0.35:
        said["default"] = value(rng, said) if rng.random() < 0.9 else rng.choice(SCALARS)
    if rng.random() < 0.25:
        said["x-visibility"] = rng.choice(VISIBILITIES)
    if rng.random() < 0.1:
        said["x-live"] = True
    if rng.random() < 0.1:
        said["title"] = rng.choice(("One", "Two"))
    return said


def some(rng: random.Random, values: tuple, least: int = 1) -> list:
    """Return some of the values, each once as JSON knows them."""
    seen: dict[str, object] = {}
    for each in rng.sample(values, rng.randint(least, 4)):
        seen.setdefault(_key(each), each)
    return list(seen.values())


def _key(each: object) -> str:
    return repr(float(each)) if type(each) in (int, float) else repr(each)


def _typed(rng: random.Random, depth: int) -> dict:
    name = rng.choice(TYPES if depth else TYPES[:5])
    said = {"object": _object, "array": _array}.get(name, _leaf)(rng, depth)
    if rng.random() < 0.85:
        said["type"] = name
    if rng.random() < 0.12:
        said["type"] = sorted({name, rng.choice(TYPES)})
    if name in {"integer", "number"}:
        said |= _numbers(rng)
    if name == "string":
        said |= _lengths(rng, "Length")
    return said


def _leaf(rng: random.Random, depth: int) -> dict:
    return {}


def _numbers(rng: random.Random) -> dict:
    said: dict = {}
    for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if rng.random() < 0.22:
            low = word.lower().endswith("minimum")
            said[word] = rng.choice(NUMBERS[:4] if low else NUMBERS[4:])
    if rng.random() < 0.25:
        said["multipleOf"] = rng.choice((1, 2, 3, 4, 6, 0.5))
    return said


def _lengths(rng: random.Random, what: str) -> dict:
    said: dict = {}
    if rng.random() < 0.25:
        said[f"min{what}"] = rng.choice((0, 1, 2))
    if rng.random() < 0.3:
        said[f"max{what}"] = rng.choice((1, 2, 3))
    return said


def _array(rng: random.Random, depth: int) -> dict:
    said = _lengths(rng, "Items")
    if rng.random() < 0.8:
        said["items"] = schema(rng, depth - 1)
    if rng.random() < 0.2:
        said["uniqueItems"] = rng.random() < 0.8
    return said


def _object(rng: random.Random, depth: int) -> dict:
    said: dict = {}
    if rng.random() < 0.9:
        names = rng.sample(NAMES, rng.randint(0, 3))
        said["properties"] = {name: schema(rng, depth - 1) for name in names}
    if rng.random() < 0.65:
        said["additionalProperties"] = (
            False if rng.random() < 0.75 else schema(rng, max(depth - 2, 0))
        )
    if rng.random() < 0.3:
        said["required"] = rng.sample(NAMES, rng.randint(0, 2))
    if rng.random() < 0.12:
        said |= _lengths(rng, "Properties")
    return said


def _uncovered(rng: random.Random, depth: int) -> dict:
    below = max(depth - 1, 0)
    return rng.choice(
        (
            lambda: {"anyOf": [schema(rng, 0), schema(rng, below)]},
            lambda: {"oneOf": [schema(rng, 0), schema(rng, 0)]},
            lambda: {"allOf": [_object(rng, below)]},
            lambda: {"not": schema(rng, 0)},
            lambda: {"if": _object(rng, 0), "then": _object(rng, 0)},
            lambda: {"pattern": rng.choice(("^x", "y"))},
            lambda: {"format": rng.choice(("date", "email"))},
            lambda: {"patternProperties": {"^[ab]$": schema(rng, below)}},
            lambda: {"propertyNames": {"maxLength": rng.choice((0, 1))}},
            lambda: {"dependentRequired": {"a": ["b"]}},
            lambda: {"dependentSchemas": {"a": _object(rng, 0)}},
            lambda: {"contains": schema(rng, 0)},
            lambda: {"prefixItems": [schema(rng, 0)]},
            lambda: {"unevaluatedProperties": False},
            lambda: {"unevaluatedItems": False},
        )
    )()


# ------------------------------------------------------------------------------------- changes


def changed(rng: random.Random, old: dict) -> dict:
    """Return the schema with one to three changes somewhere in it."""
    new = deepcopy(old)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(CHANGES)(rng, rng.choice(_nodes(new)))
    return new


def _nodes(schema: object) -> list[dict]:
    found: list[dict] = []
    if isinstance(schema, dict):
        found.append(schema)
        for word, said in schema.items():
            if word in {"properties", "patternProperties", "dependentSchemas", "$defs"}:
                found += [node for part in said.values() for node in _nodes(part)]
            elif word in {"anyOf", "oneOf", "allOf", "prefixItems"}:
                found += [node for part in said for node in _nodes(part)]
            elif word in {"items", "additionalProperties", "not", "if", "then", "contains"}:
                found += _nodes(said)
    return found


def _limit(rng: random.Random, node: dict) -> None:
    words = [w for w in node if w.lower().endswith(("imum", "length", "items", "properties"))]
    words = [w for w in words if type(node[w]) in (int, float)]
    if not words:
        return
    word = rng.choice(words)
    node[word] += rng.choice((-1, 1, 1, 2, -0.5))
    if not word.lower().endswith("imum"):
        node[word] = max(0, int(node[word]))


def _number(rng: random.Random, node: dict) -> None:
    """Change the step between numbers, or write a limit of them the other way."""
    if "multipleOf" in node:
        node["multipleOf"] = rng.choice((1, 2, 3, 4, 6, 0.5))
    for word, other in (
        ("minimum", "exclusiveMinimum"),
        ("exclusiveMinimum", "minimum"),
        ("maximum", "exclusiveMaximum"),
        ("exclusiveMaximum", "maximum"),
    ):
        if word in node and rng.random() < 0.3:
            node[other] = node.pop(word) + rng.choice((-1, 0, 1))


def _wider(rng: random.Random, node: dict) -> None:
    for word in list(node):
        said = node[word]
        if type(said) not in (int, float) or rng.random() < 0.3:
            continue
        low = word.startswith(("min", "exclusiveMin"))
        if low and word.lower().endswith(("imum", "length", "items", "properties")):
            node[word] = said - 1 if word.lower().endswith("imum") else max(0, said - 1)
        elif word.startswith(("max", "exclusiveMax")):
            node[word] = said + 1


def _drop(rng: random.Random, node: dict) -> None:
    if node:
        del node[rng.choice(list(node))]


def _add_property(rng: random.Random, node: dict) -> None:
    if isinstance(node.get("properties"), dict):
        name = rng.choice((*NAMES, "e", "f"))
        if name not in node["properties"]:
            node["properties"][name] = schema(rng, 1)


def _drop_property(rng: random.Random, node: dict) -> None:
    if node.get("properties"):
        del node["properties"][rng.choice(list(node["properties"]))]


def _require(rng: random.Random, node: dict) -> None:
    names = set(node.get("required", ()))
    known = list(node.get("properties", {})) or list(NAMES)
    node["required"] = sorted(names ^ {rng.choice(known)})


def _default(rng: random.Random, node: dict) -> None:
    node["default"] = value(rng, node) if rng.random() < 0.85 else rng.choice(SCALARS)


def _values(rng: random.Random, node: dict) -> None:
    if "enum" in node:
        listed = {_key(each): each for each in node["enum"]}
        each = rng.choice(SCALARS)
        if _key(each) in listed and len(listed) > 1 and rng.random() < 0.4:
            del listed[_key(each)]
        else:
            listed[_key(each)] = each
        node["enum"] = list(listed.values())
    elif "const" in node:
        node["enum"] = some(rng, SCALARS)
        if rng.random() < 0.7:
            said = node.pop("const")
            node["enum"] = [said, *(x for x in node["enum"] if _key(x) != _key(said))]


def _type(rng: random.Random, node: dict) -> None:
    said = node.get("type", [])
    names = {said} if isinstance(said, str) else set(said)
    other = "number" if names == {"integer"} and rng.random() < 0.5 else rng.choice(TYPES)
    node["type"] = other if rng.random() < 0.3 else sorted(names | {other})


def _others(rng: random.Random, node: dict) -> None:
    node["additionalProperties"] = rng.choice((True, True, False, schema(rng, 0)))


def _seen(rng: random.Random, node: dict) -> None:
    if rng.random() < 0.3:
        node.pop("x-visibility", None)
    else:
        node["x-visibility"] = rng.choice(VISIBILITIES)


def _text(rng: random.Random, node: dict) -> None:
    node["title"] = rng.choice(("Other", "More"))


def _unknown(rng: random.Random, node: dict) -> None:
    node |= _uncovered(rng, 1)


def _refer(rng: random.Random, node: dict) -> None:
    node["$ref"] = rng.choice(("#/$defs/s", "#/$defs/n"))


CHANGES: tuple[Callable[[random.Random, dict], None], ...] = (
    _limit, _number, _wider, _wider, _drop, _add_property, _add_property, _drop_property,
    _require, _require, _default, _default, _values, _values, _type, _others, _seen, _seen, _text,
    _unknown, _refer,
)  # fmt: skip


# ------------------------------------------------------------------------------------- values


def value(rng: random.Random, said: Schema, depth: int = 4) -> object:
    """Return a value that the schema probably accepts."""
    if isinstance(said, bool) or depth < 0:
        return rng.choice(SCALARS)
    if "const" in said:
        return deepcopy(said["const"])
    if said.get("enum"):
        return deepcopy(rng.choice(said["enum"]))
    names = said.get("type") or _likely(said)
    name = rng.choice(names) if isinstance(names, list) else names
    return _MADE[name](rng, said, depth)


def _likely(said: dict) -> list[str]:
    """Return the types that the keywords of a schema without `type` speak of."""
    found = []
    if "properties" in said or "required" in said or "additionalProperties" in said:
        found.append("object")
    if "items" in said or "uniqueItems" in said:
        found.append("array")
    return found or ["string", "integer", "number", "boolean", "null"]


def _made_number(rng: random.Random, said: dict, depth: int) -> float:
    low = max((said[w] for w in ("minimum", "exclusiveMinimum") if w in said), default=-4)
    high = min((said[w] for w in ("maximum", "exclusiveMaximum") if w in said), default=8)
    edges = [low, high, low + 0.5, high - 0.5, low + 1, high - 1, rng.choice(NUMBERS)]
    step = said.get("multipleOf")
    found = rng.choice(edges) if step is None else step * rng.randint(-3, 6)
    return rng.choice((found, float(found), int(found)))


def _made_integer(rng: random.Random, said: dict, depth: int) -> float:
    found = _made_number(rng, said, depth)
    return float(int(found)) if rng.random() < 0.2 else int(found)


def _made_string(rng: random.Random, said: dict, depth: int) -> str:
    least, most = said.get("minLength", 0), said.get("maxLength", 4)
    return "".join(rng.choice("xyz") for _ in range(rng.randint(min(least, most), most)))


def _made_array(rng: random.Random, said: dict, depth: int) -> list:
    least, most = said.get("minItems", 0), said.get("maxItems", 3)
    count = rng.randint(min(least, most), most)
    return [value(rng, said.get("items", True), depth - 1) for _ in range(count)]


def _made_object(rng: random.Random, said: dict, depth: int) -> dict:
    declared, required = said.get("properties", {}), set(said.get("required", ()))
    others = said.get("additionalProperties", True)
    often = rng.choice((0.0, 0.5, 0.9))
    made = {
        name: value(rng, part, depth - 1)
        for name, part in declared.items()
        if part is not False and (name in required or rng.random() < often)
    }
    for name in required - declared.keys():
        made[name] = value(rng, others, depth - 1)
    if others is not False and rng.random() < 0.6:
        name = rng.choice((*NAMES, "e", "f"))
        if name not in declared:
            made[name] = value(rng, others, depth - 1)
    return made


_MADE = {
    "object": _made_object,
    "array": _made_array,
    "string": _made_string,
    "integer": _made_integer,
    "number": _made_number,
    "boolean": lambda rng, *_: rng.random() < 0.5,
    "null": lambda *_: None,
}
