"""Only settings that the schema declares exist, unless it says that it is open."""

import json

import pytest

from mymozhem.manifests.declared_settings import SettingsValidator, declared_only
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.referee import Bump, compare
from mymozhem.manifests.schema_outline import outline
from mymozhem.manifests.validate import validate_manifest
from tests.support.remote_manifest import FIRST_PLATFORM

TEXT = {"type": "string"}
CLOSED = {
    "type": "object",
    "properties": {
        "title": TEXT,
        "place": {"properties": {"street": TEXT}},
        "rounds": {"type": "array", "items": {"properties": {"name": TEXT}}},
        "labels": {"type": "object"},
        "extras": {"properties": {"a": TEXT}, "additionalProperties": True},
        "typed": {"properties": {"a": TEXT}, "additionalProperties": {"type": "integer"}},
    },
}


def problems(schema, value):
    return [(each.pointer, each.code) for each in SettingsValidator(schema).errors(value)]


@pytest.mark.parametrize(
    ("value", "pointers"),
    [
        ({"title": "x"}, []),
        ({"titel": "x"}, ["/titel"]),
        ({"place": {"street": "a", "city": "b"}}, ["/place/city"]),
        ({"rounds": [{"name": "a"}, {"naem": "b"}]}, ["/rounds/1/naem"]),
        ({"labels": {"anything": 1}}, []),
        ({"extras": {"b": 1}}, []),
        ({"typed": {"b": 1}}, []),
    ],
)
def test_names_that_nobody_declared_are_unknown(value, pointers):
    assert problems(CLOSED, value) == [(each, "UNKNOWN_FIELD") for each in pointers]
    assert SettingsValidator(CLOSED).is_valid(value) is not bool(pointers)


def test_a_name_that_nobody_declared_is_not_stored():
    value = {"title": "x", "more": 1, "place": {"street": "a", "city": "b"}, "labels": {"c": 1}}
    kept = {"title": "x", "place": {"street": "a"}, "labels": {"c": 1}}
    assert declared_only(outline(CLOSED), value) == kept


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "properties": {"a": TEXT}, "additionalProperties": True},
        {"type": "object", "properties": {"a": TEXT}, "additionalProperties": {}},
        {"type": "object", "properties": {"a": TEXT}, "unevaluatedProperties": True},
        {"anyOf": [{"properties": {"a": TEXT}}, {"required": ["b"]}]},
    ],
)
def test_an_open_schema_takes_any_name(schema):
    assert SettingsValidator(schema).is_valid({"b": 1})


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]},
        {"properties": {"a": TEXT}, "anyOf": [{"properties": {"b": TEXT}}, True]},
        {"properties": {"a": TEXT}, "patternProperties": {"^b": TEXT}},
        {"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": TEXT, "b": TEXT}}}},
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "allOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}],
        },
    ],
)
def test_parts_of_a_schema_declare_together(schema):
    assert problems(schema, {"a": "x", "b": "y"}) == []
    assert problems(schema, {"a": "x", "c": "y"}) == [("/c", "UNKNOWN_FIELD")]


def test_the_message_helps():
    (problem,) = SettingsValidator(CLOSED).errors({"titel": 1})
    assert problem.message == "the app declares no such setting; did you mean 'title'?"
    (problem,) = SettingsValidator({"properties": {"a": TEXT}}).errors({"zzz": 1})
    assert problem.message == "the app declares no such setting; it declares 'a'"


def test_what_the_schema_itself_refuses_is_told_once():
    schema = {"properties": {"a": TEXT}, "additionalProperties": False}
    assert problems(schema, {"b": 1}) == [("/b", "UNKNOWN_FIELD")]
    assert problems(CLOSED, {"title": 1, "b": 1}) == [("/title", "TYPE"), ("/b", "UNKNOWN_FIELD")]


def test_a_default_with_a_name_that_nobody_declared_is_refused():
    place = {"type": "object", "properties": {"street": TEXT}, "default": {"city": "x"}}
    document = {
        "id": "any",
        "meta": {"name": "Any", "version": "1.0.0", "description": ""},
        "permissions": [],
        "settings": {"type": "object", "properties": {"place": place}},
    }
    (problem,) = validate_manifest(json.dumps(document).encode()).problems
    assert problem.pointer == "/settings/properties/place/default/city"
    place["additionalProperties"] = True
    assert validate_manifest(json.dumps(document).encode()).problems == ()


def next_version(document, **properties):
    newer = json.loads(json.dumps(document))
    newer["meta"]["version"] = "1.1.0"
    newer["settings"]["properties"] |= properties
    return compare(
        Manifest.of(document, registered_as="app"), Manifest.of(newer, registered_as="app")
    )


def test_a_new_optional_setting_of_a_first_platform_app_is_minor():
    diff = next_version(FIRST_PLATFORM, enableNotifications={"type": "boolean", "default": True})
    assert (diff.required, diff.sufficient) == (Bump.MINOR, True)


def test_in_an_open_schema_a_new_name_is_claimed():
    open_ = json.loads(json.dumps(FIRST_PLATFORM))
    open_["settings"]["additionalProperties"] = True
    diff = next_version(open_, enableNotifications={"type": "boolean"})
    assert [each.code for each in diff.changes] == ["FIELD_CLAIMED"]


def settings(old, new):
    meta = {"name": "Any", "description": ""}
    one, other = (
        Manifest.of({"id": "a", "meta": meta | {"version": version}, "permissions": [],
                     "settings": schema})
        for version, schema in (("1.0.0", old), ("1.1.0", new))
    )  # fmt: skip
    return [each.code for each in compare(one, other).changes]


def test_to_say_what_held_anyway_is_no_change():
    said = CLOSED | {"additionalProperties": False}
    assert settings(CLOSED, said) == ["SAME_MEANING"]
    assert settings(said, CLOSED) == ["SAME_MEANING"]


def test_to_open_a_schema_is_minor_and_to_close_it_is_major():
    open_ = CLOSED | {"additionalProperties": True}
    assert settings(CLOSED, open_) == ["OTHERS_ACCEPTED"]
    assert settings(open_, CLOSED) == ["OTHERS_REFUSED"]
    anything = {"type": "object"}
    assert "OTHERS_REFUSED" in settings(anything, CLOSED)


def test_a_part_beside_may_have_declared_the_name_already():
    beside = {"allOf": [{"properties": {"b": TEXT}}]}
    old, new = {"properties": {"a": TEXT}}, {"properties": {"a": TEXT, "b": {"type": "integer"}}}
    assert settings(old | beside, new | beside) == ["FIELD_CLAIMED"]
