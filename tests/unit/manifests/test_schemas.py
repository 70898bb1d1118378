"""A stranger's schema is compiled only when it is bounded, local and linear."""

import pytest

from mymozhem.manifests.regex_safety import repeats_repeats
from mymozhem.manifests.validators import MAX_ERRORS, SchemaRefused, compile_schema

NESTED: dict[str, object] = {}
for _ in range(2_000):
    NESTED = {"not": NESTED}

REFUSED = {
    "a reference to the network": ({"$ref": "https://example.com/a"}, "/$ref", "REF_OUTSIDE"),
    "a reference to a file": ({"$ref": "file:///etc/passwd"}, "/$ref", "REF_OUTSIDE"),
    "the meta-schema": (
        {"$ref": "https://json-schema.org/draft/2020-12/schema"}, "/$ref", "REF_OUTSIDE",
    ),
    "a reference into nothing": ({"$ref": "#/$defs/a"}, "/$ref", "REF_UNKNOWN"),
    "a reference to what is no schema": (
        {"const": {"a": {}}, "properties": {"a": {"$ref": "#/const/a"}}},
        "/properties/a/$ref", "REF_UNKNOWN",
    ),
    "itself": ({"$ref": "#"}, "", "REF_RECURSIVE"),
    "itself, one level down": ({"properties": {"a": {"$ref": "#"}}}, "", "REF_RECURSIVE"),
    "itself, by an anchor": ({"$anchor": "a", "items": {"$ref": "#a"}}, "", "REF_RECURSIVE"),
    "itself, dynamically": (
        {"$dynamicAnchor": "a", "items": {"$dynamicRef": "#a"}}, "", "REF_RECURSIVE",
    ),
    "2,001 schemas": (
        {"properties": {f"p{n}": {} for n in range(2_001)}}, "", "SCHEMA_TOO_LARGE",
    ),
    "a long chain": (
        {"$defs": {**{f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(500)}, "d500": {}}},
        "", "SCHEMA_TOO_DEEP",
    ),
    "doubling": (
        {
            "$defs": {
                **{f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)},
                "d30": {},
            }
        },
        "", "SCHEMA_TOO_LARGE",
    ),
    "two thousand levels": (NESTED, "", "NOT_JSON"),
    "another dialect": ({"$schema": "https://example.com/"}, "/$schema", "SCHEMA_DIALECT"),
    "a dialect inside": (
        {"items": {"$schema": "http://json-schema.org/draft-07/schema#"}},
        "/items/$schema", "SCHEMA_DIALECT",
    ),
    "an id inside": ({"items": {"$id": "a"}}, "/items/$id", "SCHEMA_ID"),
    "an anchor twice": (
        {"items": {"$anchor": "a"}, "contains": {"$anchor": "a"}}, "/contains", "ANCHOR_TWICE",
    ),
    "a repeated repetition": ({"pattern": "^(a+)+$"}, "/pattern", "PATTERN_REFUSED"),
    "look-behind": ({"pattern": "(?<=a)b"}, "/pattern", "PATTERN_REFUSED"),
    "a back-reference": ({"pattern": r"(a)\1"}, "/pattern", "PATTERN_REFUSED"),
    "a pattern too large": ({"pattern": r"(\w{1,1000}){1,20}"}, "/pattern", "PATTERN_REFUSED"),
    "a pattern too long": ({"pattern": "a" * 501}, "/pattern", "PATTERN_REFUSED"),
    "no pattern at all": ({"pattern": "("}, "/pattern", "PATTERN_REFUSED"),
    "101 patterns": (
        {"allOf": [{"pattern": f"^a{n}$"} for n in range(101)]}, "", "PATTERNS_TOO_MANY",
    ),
    "few patterns, referred to often": (
        {"$defs": {"a": {"pattern": "a"}}, "allOf": [{"$ref": "#/$defs/a"}] * 501},
        "", "PATTERNS_TOO_MANY",
    ),
    "a format that checks nothing": ({"format": "date_time"}, "/format", "FORMAT_UNKNOWN"),
    "no schema": ({"properties": {"a": {"type": "int"}}}, "/properties/a/type", "SCHEMA_INVALID"),
    "no schema of draft-07": (
        {"$schema": "http://json-schema.org/draft-07/schema#", "required": "a"},
        "/required", "SCHEMA_INVALID",
    ),
    "a name that is a page": (
        {"properties": {"a" * 501: {"properties": {"b": {}}}}}, "", "NAME_TOO_LONG",
    ),
    "a number that is none": ({"maximum": float("nan")}, "", "NOT_JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "pointer", "code"), REFUSED.values(), ids=REFUSED)
def test_an_unsafe_schema_is_refused_with_its_place(schema, pointer, code):
    with pytest.raises(SchemaRefused) as caught:
        compile_schema(schema)
    assert (pointer, code) in {(each.pointer, each.code) for each in caught.value.problems}
    assert code in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (True, 1, None),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}}, "x", 1),
        ({"$ref": "#a", "$defs": {"x": {"$anchor": "a", "type": "string"}}}, "x", 1),
        ({"$id": "https://json-schema.org/draft/2020-12/schema", "type": "string"}, "x", 1),
        ({"properties": {"$ref": {"type": "string"}}}, {"$ref": "x"}, {"$ref": 1}),
        ({"const": {"$ref": "https://example.com"}}, {"$ref": "https://example.com"}, 1),
        ({"format": "date-time"}, "2030-01-01T00:00:00Z", "2030-01-01"),
        ({"format": "email"}, "ada@example.com", "ada"),
        ({"format": "uri"}, "https://example.com", "a b"),
        ({"format": "duration"}, "P1D", "a day"),
        ({"format": "hostname"}, "example.com", "a b"),
        ({"pattern": "^[a-z]+(-[a-z]+)*$"}, "a-b", "a-"),
        ({"type": "integer"}, 1.0, True),
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "items": [{"type": "string"}],
                "additionalItems": False,
            },
            ["x"], ["x", "y"],
        ),
        ({"type": "string"}, "x", "\ud800"),
        ({"type": "array"}, [], {1}),
    ],
    ids=str,
)  # fmt: skip
def test_a_safe_schema_tells_right_from_wrong(schema, good, bad):
    validator = compile_schema(schema)
    assert validator.is_valid(good)
    assert validator.errors(good) == []
    if bad is not None:
        assert not validator.is_valid(bad)
        assert validator.errors(bad)


def test_the_same_schema_is_compiled_once_however_it_is_written():
    one = compile_schema({"type": "integer", "minimum": 1})
    other = compile_schema({"minimum": 1.0, "type": "integer"})
    assert one is other


def test_missing_and_unknown_fields_are_named_by_their_own_pointers():
    validator = compile_schema(
        {
            "required": ["a/b"],
            "properties": {"a/b": {}, "c": {"items": {"minimum": 3}}},
            "additionalProperties": False,
        }
    )
    told = {(each.pointer, each.code) for each in validator.errors({"x": 1, "c": [3, 1]})}
    assert told == {("/a~1b", "REQUIRED"), ("/x", "UNKNOWN_FIELD"), ("/c/1", "MINIMUM")}


def test_no_message_repeats_the_value():
    validator = compile_schema({"properties": {"a": {"type": "integer", "enum": [1]}}})
    assert "secret" not in str(validator.errors({"a": "secret"}))


def test_no_more_faults_are_told_than_anybody_reads():
    validator = compile_schema({"items": {"type": "string"}, "propertyNames": {"maxLength": 1}})
    assert len(validator.errors(list(range(200)))) == MAX_ERRORS


def test_thousands_of_missing_fields_are_told_as_one_where_the_value_is_large():
    validator = compile_schema({"required": [f"f{n}" for n in range(5_000)]})
    [problem] = validator.errors({f"x{n}": "x" * 20 for n in range(10_000)})
    assert problem.code == "REQUIRED"


def test_thousands_of_misnamed_fields_are_told_as_one():
    validator = compile_schema({"propertyNames": {"maxLength": 3}})
    [problem] = validator.errors({f"name {n}": "x" * 20 for n in range(10_000)})
    assert problem.code == "FIELD_NAME"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^(a+)+$", True),
        ("(a*)*", True),
        ("(a|b+)+", True),
        ("((a+))+", True),
        (r"(\w+\s?)+", True),
        ("(?:a{1,})+", True),
        ("(.*)*?", True),
        ("^[a-z0-9]+(?:-[a-z0-9]+)*$", False),
        (r"^(\d{2}:)+$", False),
        ("[)(+]+", False),
        (r"\(a+\)+", False),
        ("(a{2,5})+", False),
        ("(a+|b)?c", False),
        ("^[0-9a-f]{64}$", False),
        ("((", False),
        ("))+", False),
    ],
)
def test_a_repetition_of_mere_repetitions_is_told_from_harmless_ones(pattern, expected):
    assert repeats_repeats(pattern) is expected
