"""What is JSON to the letter is read; nothing else is."""

import json
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.manifests.strict_json import StrictJsonError, from_python, loads

LIMIT = 256 * 1024

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)  # fmt: skip

REFUSED = {
    "10 MB": (b"[" + b"1," * 5_000_000 + b"1]", "TOO_LARGE"),
    "100,000 open brackets": (b"[" * 100_000, "TOO_DEEP"),
    "100,000 levels, closed": (b"[" * 100_000 + b"]" * 100_000, "TOO_DEEP"),
    "20,000 objects in objects": (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "TOO_DEEP"),
    "33 levels": (b"[" * 33 + b"]" * 33, "TOO_DEEP"),
    "a name twice": (b'{"a": 1, "b": 2, "a": 3}', "DUPLICATE_KEY"),
    "a name twice, once escaped": (b'{"a": 1, "\\u0061": 3}', "DUPLICATE_KEY"),
    "NaN": (b"[NaN]", "NOT_A_NUMBER"),
    "Infinity": (b"[Infinity]", "NOT_A_NUMBER"),
    "-Infinity": (b"[-Infinity]", "NOT_A_NUMBER"),
    "a float beyond all bounds": (b"[1e999]", "NUMBER_RANGE"),
    "2 to the 53": (b"9007199254740992", "NUMBER_RANGE"),
    "100,000 digits": (b"9" * 100_000, "NUMBER_RANGE"),
    "half a character": (b'["\\ud83d"]', "LONE_SURROGATE"),
    "half a character in a name": (b'{"\\ude00": 1}', "LONE_SURROGATE"),
    "half a character in a string": ('["\ud83d"]', "LONE_SURROGATE"),
    "NUL": (b'["\\u0000"]', "CONTROL_CHARACTER"),
    "DEL": (b'["\x7f"]', "CONTROL_CHARACTER"),
    "a C1 control": ('["\x85"]', "CONTROL_CHARACTER"),
    "a line end in a name": (b'{"a\\nb": 1}', "CONTROL_CHARACTER"),
    "a raw tab": (b'["\t"]', "SYNTAX"),
    "bytes that are no UTF-8": (b'["\xff"]', "NOT_UTF8"),
    "UTF-16": ("[]".encode("utf-16"), "NOT_UTF8"),
    "a byte order mark": (b"\xef\xbb\xbf[]", "SYNTAX"),
    "nothing": (b"", "SYNTAX"),
    "a comma too many": (b"[1,]", "SYNTAX"),
    "two documents": (b"{}{}", "SYNTAX"),
    "brackets the wrong way round": (b"]" * 40 + b"[" * 30, "SYNTAX"),
    "a string without end": (b'"' + b"[" * 100, "SYNTAX"),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_to_the_letter_is_refused_by_name(data, code):
    with pytest.raises(StrictJsonError) as caught:
        loads(data, max_bytes=LIMIT)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"[" * 32 + b"]" * 32, None),
        (b'["' + b"[{" * 100 + b'"]', ["[{" * 100]),
        (b'["\\"[[", "\\\\"]', ['"[[', "\\"]),
        (b'["\\ud83d\\ude00"]', ["😀"]),
        (b'["a\\n\\t\\r"]', ["a\n\t\r"]),
        (b"-9007199254740991", -9007199254740991),
        (b" 1.5e3 ", 1500.0),
        ('"ü"', "ü"),
    ],
)
def test_what_is_to_the_letter_is_read(data, value):
    found = loads(data, max_bytes=LIMIT)
    assert found == value or value is None


def test_a_problem_inside_a_document_has_a_pointer():
    with pytest.raises(StrictJsonError) as caught:
        loads(b'{"a/b": [1, "\\u0001"]}', max_bytes=LIMIT)
    assert caught.value.pointer == "/a~1b/1"


@given(JSON)
def test_every_value_of_json_is_read_as_it_was_written(value):
    assert loads(json.dumps(value), max_bytes=LIMIT) == value


@given(JSON)
def test_a_value_made_in_python_is_what_its_text_would_be_read_as(value):
    assert from_python(value, max_bytes=LIMIT) == loads(json.dumps(value), max_bytes=LIMIT)


class Colour(StrEnum):
    RED = "red"


ROUND: list[object] = []
ROUND.append(ROUND)


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        ({"a": (1, 2)}, "NOT_JSON", "/a"),
        ({"a": {1}}, "NOT_JSON", "/a"),
        ({1: "a"}, "NOT_JSON", ""),
        ([Colour.RED], "NOT_JSON", "/0"),
        ([datetime(2030, 1, 1, tzinfo=UTC)], "NOT_JSON", "/0"),
        ([b"bytes"], "NOT_JSON", "/0"),
        ([float("nan")], "NUMBER_RANGE", "/0"),
        ([2**53], "NUMBER_RANGE", "/0"),
        (["\ud800"], "LONE_SURROGATE", "/0"),
        (["\x00"], "CONTROL_CHARACTER", "/0"),
        (["x" * LIMIT], "TOO_LARGE", ""),
        (ROUND, "TOO_DEEP", None),
    ],
    ids=str,
)
def test_a_value_that_json_cannot_say_is_refused(value, code, pointer):
    with pytest.raises(StrictJsonError) as caught:
        from_python(value, max_bytes=LIMIT)
    assert caught.value.code == code
    assert pointer in {None, caught.value.pointer}


def test_a_small_value_that_unfolds_to_a_huge_one_is_refused():
    value: list[object] = []
    for _ in range(30):
        value = [value, value]
    with pytest.raises(StrictJsonError, match="too many values"):
        from_python(value, max_bytes=10_000)


def test_the_copy_shares_nothing_with_the_original():
    given = {"a": [1]}
    copy = from_python(given, max_bytes=LIMIT)
    given["a"].append(2)
    assert copy == {"a": [1]}
