"""Settings are completed, merged, shown in part and compared as their schema says."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.contract import Level
from mymozhem.manifests.settings import apply_defaults, live_only, merge_patch, project

PUBLIC = {"x-visibility": "public"}
SECRET = {"x-visibility": "private"}
LIVE = {"x-live": True}


@pytest.mark.parametrize(
    ("schema", "value", "completed"),
    [
        ({"properties": {"a": {"default": 1}}}, {}, {"a": 1}),
        ({"properties": {"a": {"default": 1}}}, {"a": None}, {"a": None}),
        ({"properties": {"a": {"default": None}}}, {}, {"a": None}),
        ({"properties": {"a": {"default": 1}}}, [], []),
        ({"properties": {"a": {"properties": {"b": {"default": 1}}}}}, {}, {"a": {"b": 1}}),
        ({"properties": {"a": {"properties": {"b": {"default": 1}}}}}, {"a": 3}, {"a": 3}),
        (
            {"properties": {"a": {"required": ["c"], "properties": {"b": {"default": 1}}}}}, {}, {},
        ),
        (
            {"properties": {"a": {"default": {}, "properties": {"b": {"default": 1}}}}},
            {}, {"a": {"b": 1}},
        ),
        (
            {"properties": {"a": {"items": {"properties": {"b": {"default": 1}}}}}},
            {"a": [{}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 2}]},
        ),
        (
            {"$defs": {"d": {"default": 1}}, "properties": {"a": {"$ref": "#/$defs/d"}}},
            {}, {"a": 1},
        ),
        (
            {
                "$defs": {"d": {"default": 1}},
                "properties": {"a": {"$ref": "#/$defs/d", "default": 2}},
            },
            {}, {"a": 2},
        ),
        ({"allOf": [{"properties": {"a": {"default": 1}}}]}, {}, {"a": 1}),
        ({"anyOf": [{"properties": {"a": {"default": 1}}}]}, {}, {}),
        (
            {"additionalProperties": {"properties": {"b": {"default": 1}}}},
            {"x": {}}, {"x": {"b": 1}},
        ),
        (
            {"properties": {"a": {"prefixItems": [{}, {"properties": {"b": {"default": 1}}}]}}},
            {"a": [{}, {}]}, {"a": [{}, {"b": 1}]},
        ),
    ],
)  # fmt: skip
def test_what_is_missing_gets_its_default(schema, value, completed):
    before = deepcopy((schema, value))
    assert apply_defaults(schema, value) == completed
    assert apply_defaults(schema, completed) == completed
    assert (schema, value) == before


def test_a_default_is_copied_so_that_rooms_do_not_share_it():
    schema = {"properties": {"a": {"default": [1]}}}
    first = apply_defaults(schema, {})
    first["a"].append(2)
    assert apply_defaults(schema, {}) == {"a": [1]}


@pytest.mark.parametrize(
    ("schema", "public", "organizer"),
    [
        ({}, {}, {"a": {"b": [1, 2]}}),
        ({"properties": {"a": {}}}, {}, {"a": {"b": [1, 2]}}),
        ({"properties": {"a": PUBLIC}}, {"a": {}}, {"a": {"b": [1, 2]}}),
        ({"properties": {"a": SECRET}}, {}, {}),
        (
            {"properties": {"a": {**PUBLIC, "properties": {"b": PUBLIC}}}},
            {"a": {"b": [1, 2]}}, None,
        ),
        ({"properties": {"a": {**PUBLIC, "properties": {"b": SECRET}}}}, {"a": {}}, {"a": {}}),
        ({"properties": {"a": {"properties": {"b": PUBLIC}}}}, {}, {"a": {"b": [1, 2]}}),
        ({"properties": {"a": {**SECRET, "properties": {"b": PUBLIC}}}}, {}, {}),
        (
            {"properties": {"a": {**PUBLIC, "properties": {"b": {**PUBLIC, "items": SECRET}}}}},
            {"a": {"b": []}}, {"a": {"b": []}},
        ),
        (
            {"properties": {"a": {**PUBLIC, "additionalProperties": PUBLIC}}},
            {"a": {"b": [1, 2]}}, None,
        ),
        (
            {"properties": {"a": {**PUBLIC, "patternProperties": {"^b$": PUBLIC}}}},
            {"a": {"b": [1, 2]}}, None,
        ),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": PUBLIC}}}}, {"a": {}}, None),
        (
            {"properties": {"a": PUBLIC}, "anyOf": [{"properties": {"a": SECRET}}, {}]}, {}, {},
        ),
        (
            {"properties": {"a": PUBLIC}, "if": {"properties": {"a": {"type": "object"}}}},
            {"a": {}}, {"a": {"b": [1, 2]}},
        ),
        ({"properties": {"a": PUBLIC}, **SECRET}, {}, {}),
    ],
)  # fmt: skip
def test_each_level_sees_what_the_manifest_shows_it(schema, public, organizer):
    value = {"a": {"b": [1, 2]}}
    assert project(schema, value, Level.PUBLIC) == public
    assert project(schema, value, Level.ORGANIZER) == (value if organizer is None else organizer)
    assert project(schema, value, Level.PRIVATE) == value


def test_a_list_of_objects_hides_the_answers_in_it():
    question = {**PUBLIC, "properties": {"text": PUBLIC, "key": {}, "salt": SECRET}}
    schema = {"properties": {"questions": {**PUBLIC, "items": question}}}
    value = {"questions": [{"text": "?", "key": "!", "salt": "s"}] * 2}
    assert project(schema, value, Level.PUBLIC) == {"questions": [{"text": "?"}] * 2}
    organizer = project(schema, value, Level.ORGANIZER)
    assert organizer == {"questions": [{"text": "?", "key": "!"}] * 2}


LEAF = st.sampled_from([{}, PUBLIC, SECRET, {"x-visibility": "organizer"}])
TREE = st.recursive(
    LEAF,
    lambda inner: st.builds(
        lambda own, parts: {**own, "type": "object", "properties": parts},
        LEAF,
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    ),
    max_leaves=8,
)


def _filled(schema, *, seen, hidden):
    """Return a value whose every leaf says whether the public may see it."""
    if "properties" not in schema:
        return "hidden" if hidden else "shown"
    return {
        name: _filled(part, seen=seen, hidden=hidden or part.get("x-visibility") not in seen)
        for name, part in schema["properties"].items()
    }


@given(TREE)
def test_nothing_is_ever_shown_wider_than_declared(schema):
    top = {**schema, "x-visibility": "public"}
    value = _filled(top, seen={"public"}, hidden=False)
    if isinstance(value, dict):
        assert "hidden" not in str(project(top, value, Level.PUBLIC))
        assert str(project(top, value, Level.PUBLIC)).count("shown") == str(value).count("shown")


@pytest.mark.parametrize(
    ("value", "patch", "merged"),
    [
        # the table of RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_patch_is_merged_as_rfc_7396_says(value, patch, merged):
    before = deepcopy(value)
    assert merge_patch(value, patch) == merged
    assert value == before


@pytest.mark.parametrize(
    ("schema", "before", "after", "frozen"),
    [
        ({"properties": {"a": {}}}, {"a": 1}, {"a": 1}, []),
        ({"properties": {"a": {}}}, {"a": 1}, {"a": 1.0}, []),
        ({"properties": {"a": {}}}, {"a": 1}, {"a": True}, ["/a"]),
        ({"properties": {"a": {}}}, {"a": 1}, {"a": 2}, ["/a"]),
        ({"properties": {"a": LIVE}}, {"a": 1}, {"a": 2}, []),
        ({"properties": {"a": LIVE}}, {"a": 1}, {}, []),
        ({"properties": {"a": {}}}, {"a": 1}, {}, ["/a"]),
        ({}, {}, {"a/b": 1}, ["/a~1b"]),
        ({"properties": {"a": {**LIVE, "properties": {"b": {}}}}}, {"a": {"b": 1}}, {"a": {}}, []),
        (
            {"properties": {"a": {"properties": {"b": LIVE, "c": {}}}}},
            {"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, ["/a/c"],
        ),
        (
            {"properties": {"a": {"items": {"properties": {"b": LIVE}}}}},
            {"a": [{"b": 1, "c": 1}]}, {"a": [{"b": 2, "c": 2}]}, ["/a/0/c"],
        ),
        ({"properties": {"a": {"items": LIVE}}}, {"a": [1]}, {"a": [1, 2]}, ["/a"]),
        ({"properties": {"a": {"items": LIVE}}}, {"a": [1]}, {"a": [2]}, []),
        ({"properties": {"a": {}}}, {"a": {}}, {"a": []}, ["/a"]),
    ],
)  # fmt: skip
def test_what_changed_without_being_live_is_named(schema, before, after, frozen):
    assert live_only(schema, before, after) == frozen
