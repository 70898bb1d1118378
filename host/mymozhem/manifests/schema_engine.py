"""The one place that knows the validator's engine: linear patterns, formats on, nothing fetched."""

from collections.abc import Mapping
from functools import cache
from typing import Never

import jsonschema_rs
from pydantic import JsonValue

from .schema_nodes import DRAFT_07, DRAFT_2020_12, Schema, is_draft_07

#: bytes that a compiled pattern may take: enough for `^.{1,200}$`, and compiled in a millisecond
PATTERN_BYTES = 300_000
MASK = "the value"

#: what `format` asserts; any other name would pass in silence and is refused
FORMATS = frozenset(
    [
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "idn-email",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "time",
        "uri",
        "uri-reference",
        "uri-template",
        "uuid",
    ]
)


def build(
    schema: Schema, *, registry: jsonschema_rs.Registry | None = None
) -> jsonschema_rs.Validator:
    """Compile a schema; jsonschema_rs.ValidationError where it is none, ValueError where too deep.

    Errors of the validator never repeat the value that they are about: it may be private.
    """
    engine = (
        jsonschema_rs.Draft7Validator if is_draft_07(schema) else jsonschema_rs.Draft202012Validator
    )
    return engine(
        schema if isinstance(schema, bool) else without_id(schema),
        validate_formats=True,
        retriever=refuse_to_fetch,
        registry=registry,
        mask=MASK,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES),
    )


def without_id(schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the schema without its own `$id`, which could pose as another's."""
    return {word: value for word, value in schema.items() if word != "$id"}


def refuse_to_fetch(uri: str) -> Never:
    """Raise LookupError: a schema is complete in itself, and nothing is ever fetched."""
    msg = f"{uri} lies outside the document"
    raise LookupError(msg)


@cache
def meta_schema(*, draft_07: bool) -> jsonschema_rs.Validator:
    """Return the validator of schemas themselves, compiled on first use."""
    dialect = DRAFT_07 if draft_07 else DRAFT_2020_12
    return build({"$schema": dialect, "$ref": dialect})


@cache
def can_match(pattern: str) -> bool:
    """Tell whether the linear-time engine takes a pattern: no look-around, no back-reference."""
    try:
        build({"pattern": pattern})
    except ValueError:
        return False
    return True
