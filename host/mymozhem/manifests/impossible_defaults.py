"""Find defaults of settings that no room could have: another part of the schema forbids them.

The host fills in every missing default, so a property with one is always there. If two parts of an
`allOf` are closed and each has a default of its own, no settings are valid.
"""

from collections.abc import Iterable, Iterator

from .declared_settings import declares
from .problems import Problem
from .schema_nodes import Index, Node, Schema, is_draft_07
from .schema_outline import Outline, outline_at
from .settings import missing
from .validators import SchemaRefused, compile_schema

#: properties × schemas that apply to their object. That is far beyond what people write, and takes
#: a tenth of a second
MAX_STEPS = 4_000
_HINT = "declare the property in every part, or put unevaluatedProperties: false beside the allOf"
_TYPES = frozenset(["array", "boolean", "integer", "null", "number", "object", "string"])


def impossible_defaults(found: Index) -> Iterator[Problem]:
    """Yield each default of a safe schema that is always filled in, and never valid there.

    The search ends after `MAX_STEPS`, with what it has found.
    """
    told: set[str] = set()
    steps = 0
    for here in _parts(outline_at(found, found.nodes[""])):
        steps += len(here.names) * len(here.certain)
        if steps > MAX_STEPS:
            return
        filled = [name for name in here.names if missing(name, here.property(name))]
        for name in filled:
            place = _place(here.property(name))
            if place not in told and (why := _why_never(here, name)):
                told.add(place)
                message = f"the host fills this default in, but {why}: no value is valid"
                yield Problem(place, "DEFAULT_INVALID", message, _HINT)
        place = here.certain[0].pointer
        if place not in told and (why := _why_never_together(here, filled)):
            told.add(place)
            message = f"the host fills in the defaults of this object, but {why}"
            yield Problem(place, "DEFAULT_INVALID", message, "leave out some of the defaults")


def _parts(whole: Outline) -> Iterator[Outline]:
    """Yield the outlines of a value and of all values inside it, with what always applies."""
    waiting, seen = [whole], set[tuple[str, ...]]()
    while waiting:
        here = waiting.pop()
        key = tuple(node.pointer for node in here.certain)
        if key in seen:
            continue
        seen.add(key)
        yield here
        inside = [*map(here.always_at, here.names), *here.always_in()]
        waiting.extend(Outline(here.found, each, each) for each in reversed(inside) if each)


def _place(part: Outline) -> str:
    for node in part.certain:
        if not isinstance(node.schema, bool) and "default" in node.schema:
            return f"{node.pointer}/default"
    return part.certain[0].pointer


def _why_never(here: Outline, name: str) -> str | None:
    """Return why a property that is always there is never valid; None if it may be."""
    for node in _heard(here.found, here.certain):
        if _is_closed_to(here.found, node, name):
            return f"{_named(node)} allows no {name[:80]!r}"
        names = node.keyword("propertyNames")
        if isinstance(names, dict | bool) and not _accepts_name(names, name):
            return f"the propertyNames of {_named(node)} refuse {name[:80]!r}"
    types = _TYPES
    heard = tuple(_heard(here.found, here.certain))
    always = Outline(here.found, heard, heard).always_at(name)
    for node in _heard(here.found, always):
        if node.schema is False:
            return f"{_named(node)} refuses every value"
        types &= _types(node)
    return None if types else "parts of the schema require different types of it"


def _named(node: Node) -> str:
    return f"the part {node.pointer} of the schema" if node.pointer else "the schema"


def _heard(found: Index, nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the nodes whose keywords count: in draft 7, those beside a `$ref` do not."""
    is_old = is_draft_07(found.nodes[""].schema)
    return (node for node in nodes if not is_old or node.keyword("$ref") is None)


def _is_closed_to(found: Index, node: Node, name: str) -> bool:
    if declares(Outline(found, (node,), (node,)), name):
        return False
    if node.keyword("additionalProperties") is not None:
        return node.keyword("additionalProperties") is False
    if node.keyword("unevaluatedProperties") is not False or is_draft_07(found.nodes[""].schema):
        return False
    whole = outline_at(found, node)
    inner = (each for each in whole.possible if each is not node)
    return not declares(whole, name) and all(
        each.keyword(word) in (None, False)
        for each in inner
        for word in ("additionalProperties", "unevaluatedProperties")
    )


def _accepts_name(names: Schema, name: str) -> bool:
    try:
        return compile_schema(names).is_valid(name)
    except SchemaRefused:  # it refers to a place outside of itself
        return True


def _types(node: Node) -> frozenset[str]:
    said = node.keyword("type")
    named = [said] if isinstance(said, str) else said
    if not isinstance(named, list):
        return _TYPES
    types = frozenset(each for each in named if isinstance(each, str))
    return types | {"integer"} if "number" in types else types


def _why_never_together(here: Outline, filled: list[str]) -> str | None:
    for node in _heard(here.found, here.certain):
        most = node.keyword("maxProperties")
        if isinstance(most, int | float) and len(filled) > most:
            return f"{_named(node)} allows {most} properties at most"
        never = node.keyword("not")
        required = never.get("required") if isinstance(never, dict) and len(never) == 1 else None
        if isinstance(required, list) and required and set(map(str, required)) <= {*filled}:
            return f"{_named(node)} forbids them together"
    return None
