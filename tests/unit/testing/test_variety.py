"""Made values are many, valid, and reach into every corner of a schema."""

import pytest

from mymozhem.manifests.validators import compile_schema
from mymozhem.testing.random_values import various

SCHEMA = {
    "$defs": {"colour": {"enum": ["red", "green", "blue"]}},
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "count"],
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 30},
        "count": {"type": "integer", "minimum": -5, "maximum": 50, "default": 7},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "even": {"type": "integer", "multipleOf": 2, "minimum": 2},
        "maybe": {"type": ["integer", "null"]},
        "colour": {"$ref": "#/$defs/colour"},
        "flag": {"type": "boolean"},
        "rows": {"type": "array", "maxItems": 3, "items": {"type": "object", "properties": {
            "at": {"type": "string", "format": "date-time"},
            "code": {"type": "string", "pattern": "^[a-c]{3}$", "examples": ["abc"]},
        }}},
        "either": {"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 5}]},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return various(SCHEMA, most=200)


def test_they_are_valid_different_and_as_many_as_were_asked_for(values):
    fits = compile_schema(SCHEMA).is_valid
    assert len(values) == 200
    assert all(map(fits, values))
    assert all(one not in values[:place] for place, one in enumerate(values))


def test_each_property_is_there_and_is_left_out(values):
    for name in set(SCHEMA["properties"]) - {"name", "count"}:
        there = [value for value in values if name in value]
        assert 0 < len(there) < len(values), name


def test_every_choice_is_made_and_bounds_are_met(values):
    def all_of(name):
        return [value[name] for value in values if name in value]

    assert set(all_of("colour")) == {"red", "green", "blue"}
    assert set(all_of("flag")) == {True, False}
    assert None in all_of("maybe")
    assert {-5, 7, 50} <= set(all_of("count"))
    assert max(all_of("ratio")) == 1
    assert {type(each) for each in all_of("either")} == {int, str}
    assert {len(each) for each in all_of("name")} >= {2, 30}
    assert {len(each) for each in all_of("rows")} >= {0, 2}


def test_the_same_are_made_every_time():
    assert various(SCHEMA, most=50) == various(SCHEMA, most=50)


@pytest.mark.parametrize(
    ("schema", "count"), [({"type": "boolean"}, 2), ({"const": 1}, 1), (False, 0), ({"not": {}}, 0)]
)
def test_there_are_no_more_than_there_can_be(schema, count):
    assert len(various(schema, most=20)) == count
