"""Values for a schema satisfy it, whatever the schema says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.manifests.validators import compile_schema
from mymozhem.testing.pattern_values import text_for
from mymozhem.testing.schema_values import values_for

SCHEMAS = [
    {"type": "object"},
    {"type": "string", "minLength": 5, "maxLength": 7},
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,32}$"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "email"},
    {"type": ["null", "integer"], "minimum": 3, "maximum": 4},
    {"type": "integer", "exclusiveMinimum": 4, "multipleOf": 5},
    {"type": "number", "maximum": -2},
    {"enum": ["red", "green"]},
    {"const": {"a": 1}},
    {"type": "array", "minItems": 3, "uniqueItems": True, "items": {"type": "string"}},
    {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}], "items": False},
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["id"],
        "properties": {"id": {"type": "string", "minLength": 1}, "n": {"type": "integer"}},
    },
    {"$ref": "#/$defs/name", "$defs": {"name": {"type": "string", "maxLength": 3}}},
    {"allOf": [{"required": ["a"]}, {"properties": {"a": {"const": 1}}}]},
    {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": ["a", "b"]}},
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"required": ["extra"]},
    },
    {"type": "object", "minProperties": 2, "additionalProperties": {"type": "boolean"}},
    True,
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_there_are_values_and_each_satisfies_the_schema(schema):
    found = values_for(schema)
    assert found
    assert all(compile_schema(schema).is_valid(value) for value in found)


def test_the_same_schema_gives_the_same_values():
    for schema in SCHEMAS:
        assert values_for(schema) == values_for(schema)


def test_examples_come_first_then_everything_then_the_least():
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "examples": [{"a": 42}],
    }
    assert values_for(schema)[:3] == [{"a": 42}, {"a": 1}, {}]


def test_what_is_known_by_name_stands_in_its_place():
    schema = {"type": "object", "properties": {"prizeId": {"type": "string", "minLength": 1}}}
    assert {"prizeId": "prize_7"} in values_for(schema, known={"prizeId": "prize_7"})


def test_a_schema_that_nothing_satisfies_has_no_values():
    assert values_for({"type": "string", "minLength": 5, "maxLength": 2}) == []


PATTERNS = [
    "^[0-9a-f]{64}$", "^https://", "^(yes|no)$", r"^\d{2}:\d{2}$", "^[^a-z]+$", r"^\w+@\w+\.fi$",
    "^a?b*c+$", "^$", "x",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_matches_its_pattern(pattern):
    for salt in range(4):
        text = text_for(pattern, salt=salt)
        assert text is not None
        assert re.search(pattern, text)


def test_a_pattern_that_is_none_has_no_text():
    assert text_for("(") is None


@pytest.mark.filterwarnings("ignore::FutureWarning")
@given(st.from_regex(r"[\[\](){}|^$.?*+\\a-z0-9-]{0,12}", fullmatch=True))
def test_whatever_the_pattern_what_comes_matches_or_nothing_comes(pattern):
    text = text_for(pattern)
    assert text is None or re.search(pattern, text)
