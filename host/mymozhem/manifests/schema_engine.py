"""The only module that uses the validator's engine: linear patterns, formats on, no fetching."""

from collections.abc import Mapping
from functools import cache
from typing import Never

import jsonschema_rs
from pydantic import JsonValue

from .schema_nodes import DRAFT_07, DRAFT_2020_12, Schema, is_draft_07

#: the maximum size of a compiled pattern: enough for `^.{1,200}$`, and compiled in a millisecond
PATTERN_BYTES = 300_000
MASK = "the value"

#: the formats that `format` checks; any other name would be ignored, so it is refused
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
    """Compile a schema; jsonschema_rs.ValidationError if invalid, ValueError if too deep.

    Errors of the validator never repeat the value that they concern, because it may be private.
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
    """Return the schema without its own `$id`, which could claim to be another schema."""
    return {word: value for word, value in schema.items() if word != "$id"}


def refuse_to_fetch(uri: str) -> Never:
    """Raise LookupError: a schema is self-contained, and nothing is ever fetched."""
    msg = f"{uri} lies outside the document"
    raise LookupError(msg)


@cache
def meta_schema(*, draft_07: bool) -> jsonschema_rs.Validator:
    """Return the validator of schemas themselves, compiled on first use."""
    dialect = DRAFT_07 if draft_07 else DRAFT_2020_12
    return build({"$schema": dialect, "$ref": dialect})


@cache
def can_match(pattern: str) -> bool:
    """Return whether the linear engine accepts a pattern: no look-around, no back-reference."""
    try:
        build({"pattern": pattern})
    except ValueError:
        return False
    return True
