"""Texts folded alike in submissions and in rules, wherever in them they stand."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem.contract import fold_text
from mymozhem.manifests.schema_nodes import DRAFT_07
from mymozhem.manifests.validators import compile_schema
from mymozhem.rooms.windows.text_folding import fold_payload, fold_rules

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SPACES = st.sampled_from([" ", "  ", "\t", "\n", "\u00a0", "\u2003", " \u3000 "])


@st.composite
def spoken(draw, text):
    """Return a text as somebody else might write it."""
    form = draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
    spaced = "".join(draw(SPACES) if letter == " " else letter for letter in text)
    return draw(SPACES) * draw(st.integers(0, 1)) + unicodedata.normalize(form, spaced)


def right(rules, payload, *fold):
    return compile_schema(fold_rules(rules, fold)).is_valid(fold_payload(payload, fold))


@given(TEXTS)
def test_folding_twice_is_folding_once(text):
    assert fold_text(fold_text(text)) == fold_text(text)


@given(TEXTS, TEXTS)
def test_what_is_equal_without_case_is_equal_when_folded(text, other):
    if text.casefold() == other.casefold():
        assert fold_text(text) == fold_text(other)
    assert fold_text(text.swapcase().casefold()) == fold_text(text.swapcase())


@given(st.data(), TEXTS.map(lambda text: " ".join(text.split())))
def test_forms_and_spaces_make_no_difference(data, text):
    assert fold_text(data.draw(spoken(text))) == fold_text(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("STRASSE", "straße"),
        ("ﬁsh", "FISH"),
        ("\uff27öteborg", "göteborg"),
        ("  New\u00a0 York ", "new york"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("ⅷ", "VIII"),
        ("cafe\u0301", "CAFÉ"),
        ("ẛ̣", "ṩ"),
    ],
)
def test_what_people_mean_is_one(written, meant):
    assert fold_text(written) == fold_text(meant)
    assert right({"const": meant}, written, "")


PLACES = [
    ("", {"const": "Ünder"}, " ünder"),
    ("", {"enum": ["x", "Ünder", 7]}, "ÜNDER"),
    ("/a", {"const": {"a": "Ünder", "b": "B"}}, {"a": "ÜNDER", "b": "B"}),
    ("/a", {"enum": [{"a": "Ünder"}, {"a": "b"}]}, {"a": "B"}),
    ("/a", {"properties": {"a": {"const": "Ünder"}}}, {"a": "ünder "}),
    ("/a", {"properties": {"a": {"anyOf": [{"const": "x"}, {"enum": ["Ünder"]}]}}}, {"a": "ÜNDER"}),
    ("/a", {"anyOf": [{"properties": {"a": {"const": "A"}}, "required": ["a"]}]}, {"a": "a"}),
    ("/a", {"allOf": [{"properties": {"a": {"const": "A"}}}]}, {"a": "a"}),
    ("/a", {"oneOf": [{"properties": {"a": {"const": "A"}}}, False]}, {"a": "a"}),
    ("/a", {"if": {"properties": {"a": {"const": "A"}}}, "else": False}, {"a": "a"}),
    ("/a/b", {"properties": {"a": {"properties": {"b": {"const": "Ü"}}}}}, {"a": {"b": "ü"}}),
    ("/a/1", {"properties": {"a": {"prefixItems": [True, {"const": "Ü"}]}}}, {"a": ["X", "ü"]}),
    ("/0", {"$schema": DRAFT_07, "items": [{"const": "Ü"}, {"const": "X"}]}, ["ü", "X"]),
    ("/a/0", {"const": {"a": ["Ü", "X"]}}, {"a": ["ü", "X"]}),
    ("/a~1b", {"properties": {"a/b": {"const": "Ü"}}}, {"a/b": "ü"}),
    ("/m~0n", {"properties": {"m~n": {"const": "Ü"}}}, {"m~n": "ü"}),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "rules", "payload"), PLACES)
def test_the_rules_are_folded_where_the_submission_is(pointer, rules, payload):
    assert right(rules, payload, pointer)
    assert not right(rules, payload)  # it is the folding that makes it right


def test_what_is_not_named_is_compared_as_it_is():
    rules = {"properties": {"a": {"const": "A"}, "b": {"const": "B"}}}
    assert right(rules, {"a": "a", "b": "B"}, "/a")
    assert not right(rules, {"a": "a", "b": "b"}, "/a")
    assert right({"not": {"const": "A"}}, "b", "")
    assert not right({"not": {"const": "A"}}, "a", "")
    assert fold_payload({"a": 7, "b": ["X"]}, ["/a", "/c/d", "/b/3", "/b/x"]) == {
        "a": 7, "b": ["X"]
    }  # fmt: skip


PAYLOADS = st.recursive(
    TEXTS | st.integers(-9, 9),
    lambda deeper: st.dictionaries(TEXTS | st.just("a"), deeper, max_size=3),
    max_leaves=5,
)


@settings(max_examples=25)
@given(PAYLOADS)
def test_a_submission_that_is_the_constant_is_right_whatever_is_folded(payload):
    pointers = ["", "/a", "/a/b"]
    assert right({"const": payload}, payload, *pointers)
    assert right({"enum": [payload]}, payload, *pointers)


@given(st.data(), TEXTS, TEXTS)
def test_two_texts_are_right_alike_when_they_fold_alike(data, text, other):
    rules = {"properties": {"a": {"anyOf": [{"const": text}, {"const": 7}]}}}
    same = fold_text(text) == fold_text(other)
    assert right(rules, {"a": other}, "/a") is same
    assert right(rules, {"a": data.draw(spoken(" ".join(text.split())))}, "/a")


@pytest.mark.parametrize(
    "rules",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": {}}},
        {"properties": {"a": {"$ref": "#"}}},
        {"anyOf": [{"not": {"$dynamicRef": "#x"}}]},
        {"properties": {"a": {"items": {"enum": ["Ü"]}}}},
        {"additionalProperties": {"const": "Ü"}},
        {"patternProperties": {"^a$": {"anyOf": [{"const": "Ü"}]}}},
        {"contains": {"const": {"a": ["Ü"]}}},
        {"dependentSchemas": {"b": {"properties": {"a": {"const": "Ü"}}}}},
    ],
)
def test_rules_that_refer_elsewhere_cannot_be_folded(rules):
    with pytest.raises(ValueError, match="write it out"):
        fold_rules(rules, ["/a"])
    assert fold_rules(rules, []) == rules


@pytest.mark.parametrize(
    "rules",
    [
        {"additionalProperties": False},
        {"properties": {"a": {"items": {"type": "string"}, "uniqueItems": True}}},
        {"contains": {"const": 7}},
        {"patternProperties": {"b": {"minimum": 1}}},
    ],
)
def test_rules_of_several_places_without_texts_are_left_alone(rules):
    assert fold_rules(rules, ["/a", "/0"]) == rules


def test_an_answer_that_is_called_ref_is_no_reference():
    rules = {"properties": {"a": {"enum": ["Ü"]}, "$ref": {}, "items": {"const": "X"}}}
    assert right(rules, {"a": "ü", "$ref": "x", "items": "X"}, "/a")
    assert right({"const": {"a": "Ü", "$ref": "x"}}, {"a": "ü", "$ref": "x"}, "/a")
