"""Point out keywords that no dialect of JSON Schema knows: they check nothing, as `minimun`."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import islice

from pydantic import JsonValue

from .embedded_schemas import places
from .json_pointer import pointer
from .problems import Problem
from .schema_nodes import ANCHORS, LIST, MAP, ONE, REFERENCES, STORE, index

MAX_REPORTED = 20

#: the keywords of drafts 2020-12 and 07 that contain no schemas
_PLAIN = frozenset(
    [
        "$comment",
        "$id",
        "$schema",
        "$vocabulary",
        "const",
        "contentEncoding",
        "contentMediaType",
        "default",
        "dependentRequired",
        "deprecated",
        "description",
        "enum",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "readOnly",
        "required",
        "title",
        "type",
        "uniqueItems",
        "writeOnly",
    ]
)
#: what the host adds; other names that begin with `x-` are the app's own
_OURS = frozenset(["x-live", "x-ui", "x-visibility"])
KNOWN = _PLAIN | ANCHORS | LIST | MAP | ONE | REFERENCES | STORE | _OURS
_CLOSE = 0.75


def unknown_keywords(document: Mapping[str, JsonValue]) -> tuple[Problem, ...]:
    """Return the unknown keywords in the schemas of a valid manifest; at most twenty.

    A schema with them is valid, and they check nothing. A name that begins with `x-` is taken as
    the app's own, unless it is almost one of the host's.
    """
    return tuple(islice(_unknown(document), MAX_REPORTED))


def _unknown(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    for place in places(document):
        for node in index(place.schema).nodes.values():
            words = () if isinstance(node.schema, bool) else node.schema
            for word in words:
                if word not in KNOWN and (not word.startswith("x-") or _meant(word, _OURS)):
                    where = f"{place.pointer}{node.pointer}{pointer([word])}"
                    yield Problem(where, "KEYWORD_UNKNOWN", _MESSAGE, _hint(word))


_MESSAGE = "JSON Schema has no such keyword, so it checks nothing"


def _hint(word: str) -> str:
    meant = _meant(word, KNOWN)
    if meant is not None:
        return f"write {meant}"
    return "leave it out, or put `x-` before a name of your own"


def _meant(word: str, known: frozenset[str]) -> str | None:
    """Return the known keyword that a word almost is; None if there is none."""
    lowered = {each.lower(): each for each in sorted(known)}
    close = get_close_matches(word.lower(), lowered, n=1, cutoff=_CLOSE)
    return lowered[close[0]] if close else None
