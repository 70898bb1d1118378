"""Check whether an untrusted schema may be compiled and run: bounded, self-contained, linear."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import islice

from pydantic import JsonValue

from mymozhem.contract import Level

from .json_pointer import pointer
from .problems import Problem
from .regex_safety import repeats_repeats
from .schema_engine import FORMATS, can_match, meta_schema
from .schema_nodes import (
    DRAFT_07,
    DRAFT_2020_12,
    REFERENCES,
    Index,
    Node,
    Schema,
    count,
    has_longer_name,
    index,
    is_draft_07,
)

MAX_NODES = 2_000
#: each name is repeated in the pointers of everything below it
MAX_NAME = 500
MAX_APPLIED = 4_000
MAX_PATTERNS_APPLIED = 500
MAX_HEIGHT = 64
MAX_PATTERNS = 100
MAX_PATTERN_LENGTH = 500
MAX_REPORTED = 50

DIALECTS = frozenset({DRAFT_2020_12, DRAFT_07})
VISIBILITIES = frozenset(level.value for level in Level)


def check_schema(schema: Schema) -> tuple[Problem, ...]:
    """Return why a schema may not be used, with pointers into it; no problems mean that it is safe.

    Checks size, dialect, references (inside the schema, never recursive), the work that they
    multiply to, patterns, formats, the `x-` annotations and the meta-schema. Pure; opens nothing.
    """
    if has_longer_name(schema, most=MAX_NAME):
        message = f"a name in it has more than {MAX_NAME} characters"
        return (Problem("", "NAME_TOO_LONG", message, "give it a short name, and a title"),)
    if count(schema, most=MAX_NODES) > MAX_NODES:
        message = f"there are more than {MAX_NODES:,} schemas inside this one"
        return (Problem("", "SCHEMA_TOO_LARGE", message, "split it up or drop what nobody needs"),)
    found = index(schema)
    local = tuple(islice(_local_problems(found), MAX_REPORTED))
    return local or _work_problems(found) or tuple(_meta_problems(schema))


def _local_problems(found: Index) -> Iterator[Problem]:
    for node in found.nodes.values():
        for rule in _RULES:
            yield from rule(found, node)
    yield from _patterns(found)


def _dialect(_: Index, node: Node) -> Iterator[Problem]:
    named = node.keyword("$schema")
    if named is None:
        return
    if node.pointer or not isinstance(named, str) or named.removesuffix("#") not in DIALECTS:
        yield Problem(
            node.pointer + "/$schema",
            "SCHEMA_DIALECT",
            "this dialect is not understood here",
            f"leave it out, or name {DRAFT_2020_12} or {DRAFT_07}# at the top of the schema",
        )


def _identity(found: Index, node: Node) -> Iterator[Problem]:
    if node.pointer and node.keyword("$id") is not None:
        yield Problem(
            node.pointer + "/$id",
            "SCHEMA_ID",
            "a schema inside another may not have an $id",
            "leave it out and refer to it by its place, such as #/$defs/name",
        )
    if node.pointer in found.twice:
        yield Problem(
            node.pointer, "ANCHOR_TWICE", "another schema has this anchor", "give it its own name"
        )


def _references(found: Index, node: Node) -> Iterator[Problem]:
    for word in REFERENCES:
        named = node.keyword(word)
        if named is None or found.target(named) is not None:
            continue
        place = f"{node.pointer}/{word}"
        hint = "write #/$defs/name, and put that schema under $defs of the same schema"
        if isinstance(named, str) and named.startswith("#"):
            yield Problem(place, "REF_UNKNOWN", "there is no schema at this place", hint)
        else:
            message = "a reference may not leave the document; nothing is fetched, no file opened"
            yield Problem(place, "REF_OUTSIDE", message, hint)


def _format(_: Index, node: Node) -> Iterator[Problem]:
    named = node.keyword("format")
    if isinstance(named, str) and named not in FORMATS:
        yield Problem(
            node.pointer + "/format",
            "FORMAT_UNKNOWN",
            "this format would check nothing",
            f"write one of {', '.join(sorted(FORMATS))}; how to show a field belongs to x-ui",
        )


def _annotations(_: Index, node: Node) -> Iterator[Problem]:
    for word, (accepts, hint) in _ANNOTATIONS.items():
        said = node.keyword(word)
        if not isinstance(node.schema, bool) and word in node.schema and not accepts(said):
            place = f"{node.pointer}/{word}"
            yield Problem(place, "ANNOTATION", f"{word} does not take this value", hint)


def _patterns(found: Index) -> Iterator[Problem]:
    texts = [pair for node in found.nodes.values() for pair in patterns_of(node)]
    if len(texts) > MAX_PATTERNS:
        message = f"there are {len(texts):,} patterns; the limit is {MAX_PATTERNS}"
        yield Problem("", "PATTERNS_TOO_MANY", message, "use enum, format, minLength or maxLength")
        return
    refused = (place for place, text in texts if not _is_linear(text))
    for place in islice(refused, 5):  # each may take milliseconds to refuse
        yield Problem(
            place,
            "PATTERN_REFUSED",
            "this pattern may take for ever, or too much room",
            "no look-around, no back-reference, no repeated repetition; bound by maxLength",
        )


def patterns_of(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the patterns of a node, each with its pointer."""
    text, by_pattern = node.keyword("pattern"), node.keyword("patternProperties")
    if isinstance(text, str):
        yield node.pointer + "/pattern", text
    if isinstance(by_pattern, dict):
        yield from ((node.pointer + pointer(["patternProperties", key]), key) for key in by_pattern)


def _is_linear(pattern: str) -> bool:
    if len(pattern) > MAX_PATTERN_LENGTH or repeats_repeats(pattern):
        return False
    return can_match(pattern)


def _work_problems(found: Index) -> tuple[Problem, ...]:
    try:
        work = work_of(found)
    except CycleError as error:
        place = str(error.args[1][0])
        message = "this schema refers back to itself"
        return (Problem(place, "REF_RECURSIVE", message, "write the levels out that you need"),)
    return tuple(_too_much(list(work.values())))


@dataclass(frozen=True)
class Work:
    """The size of a node with its references followed: schemas, patterns, levels."""

    applied: int
    patterns: int
    height: int


def work_of(found: Index) -> dict[str, Work]:
    """Return the work of every node by pointer; graphlib.CycleError if a schema is recursive."""
    graph = {
        place: [child.pointer for child in found.applied(node)]
        for place, node in found.nodes.items()
    }
    work: dict[str, Work] = {}
    for place in TopologicalSorter(graph).static_order():
        below = [work[child] for child in graph[place]]
        own = sum(1 for _ in patterns_of(found.nodes[place]))
        work[place] = Work(
            applied=1 + sum(part.applied for part in below),
            patterns=own + sum(part.patterns for part in below),
            height=1 + max((part.height for part in below), default=0),
        )
    return work


def _too_much(work: list[Work]) -> Iterator[Problem]:
    hint = "refer to fewer schemas from fewer places"
    if max(part.applied for part in work) > MAX_APPLIED:
        message = f"with its references followed, it applies more than {MAX_APPLIED:,} schemas"
        yield Problem("", "SCHEMA_TOO_LARGE", message, hint)
    if max(part.patterns for part in work) > MAX_PATTERNS_APPLIED:
        message = f"with its references followed, it runs over {MAX_PATTERNS_APPLIED} patterns"
        yield Problem("", "PATTERNS_TOO_MANY", message, hint)
    if max(part.height for part in work) > MAX_HEIGHT:
        message = f"with its references followed, it is nested deeper than {MAX_HEIGHT}"
        yield Problem("", "SCHEMA_TOO_DEEP", message, hint)


def _meta_problems(schema: Schema) -> Iterator[Problem]:
    errors = meta_schema(draft_07=is_draft_07(schema)).iter_errors(schema)
    seen: dict[str, str] = {}
    for error in islice(errors, MAX_REPORTED):
        seen.setdefault(pointer(error.instance_path), error.message)
    for place, message in seen.items():
        yield Problem(place, "SCHEMA_INVALID", message, "see https://json-schema.org/draft/2020-12")


def _is_hints(said: JsonValue) -> bool:
    if not isinstance(said, dict):
        return False
    order = said.get("order", 0)
    texts = (said.get(word, "") for word in ("widget", "group", "placeholder", "unit"))
    return type(order) is int and all(isinstance(text, str) for text in texts)


_RULES: tuple[Callable[[Index, Node], Iterator[Problem]], ...] = (
    _dialect,
    _identity,
    _references,
    _format,
    _annotations,
)

_ANNOTATIONS: dict[str, tuple[Callable[[JsonValue], bool], str]] = {
    "x-visibility": (
        lambda said: isinstance(said, str) and said in VISIBILITIES,
        "write public, organizer or private",
    ),
    "x-live": (lambda said: isinstance(said, bool), "write true or false"),
    "x-ui": (_is_hints, 'write an object such as {"widget": "slider", "order": 1, "group": "…"}'),
}
