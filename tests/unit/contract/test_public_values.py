"""The value of a public source has one form, however it is written; others is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.contract.fair import (
    HexFormat,
    InvalidPublicInput,
    NumbersFormat,
    canonical_value,
    unformatted_value,
)
from tests.support.spellings import EIGHT, SPELLINGS

LOTTERY = NumbersFormat(count=8, min=1, max=49)
IN_ORDER = NumbersFormat(count=3, min=0, max=9, ordered=True)
PULSE = HexFormat(bytes=4)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_eight_numbers_have_one_form_or_are_refused(spelling):
    try:
        found = canonical_value(spelling, LOTTERY)
    except InvalidPublicInput:
        return
    assert found == EIGHT


def test_the_attack_tries_many_spellings_and_most_are_understood():
    assert len(SPELLINGS) >= 45
    assert len({str(each) for each in SPELLINGS}) == len(SPELLINGS)
    understood = 0
    for spelling in SPELLINGS:
        try:
            canonical_value(spelling, LOTTERY)
        except InvalidPublicInput:
            continue
        understood += 1
    assert understood >= 20


def test_without_a_format_most_spellings_have_the_same_form():
    """Draws that were committed before formats existed: numbers are numbers all the same."""
    forms = []
    for spelling in SPELLINGS:
        try:
            forms.append(unformatted_value(spelling))
        except InvalidPublicInput:
            continue
    assert forms.count(EIGHT) >= 30
    assert {unformatted_value(form) for form in forms} == set(forms)


@pytest.mark.parametrize(
    ("form", "value", "canonical"),
    [
        (LOTTERY, [42, 8, 4, 15, 16, 23, 1, 2], "1.2.4.8.15.16.23.42."),
        (LOTTERY, "7 7 7 7 7 7 7 7", "7.7.7.7.7.7.7.7."),
        (IN_ORDER, [3, 1, 2], "3.1.2."),
        (IN_ORDER, "3 0 2", "3.0.2."),
        (PULSE, "FB8F7BC2", "fb8f7bc2"),
        (PULSE, " 0xfb8f7bc2\n", "fb8f7bc2"),
    ],
)
def test_a_value_that_fits_its_format(form, value, canonical):
    assert canonical_value(value, form) == canonical
    assert canonical_value(canonical, form) == canonical


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (LOTTERY, [1, 2, 3, 4, 5, 6, 7]),
        (LOTTERY, [1, 2, 3, 4, 5, 6, 7, 50]),
        (LOTTERY, [0, 2, 3, 4, 5, 6, 7, 8]),
        (LOTTERY, [1, 2, 3, 4, 5, 6, 7, True]),
        (LOTTERY, [1, 2, 3, 4, 5, 6, 7, 8.0]),
        (LOTTERY, [-1, 2, 3, 4, 5, 6, 7, 8]),
        (LOTTERY, "1 2 3 4 5 6 7 ٨"),
        (LOTTERY, "1 2 3 4 5 6 7 viii"),
        (LOTTERY, "1-2-3-4-5-6-7-8"),
        (LOTTERY, "1,2/3,4,5,6,7,8"),
        (LOTTERY, ""),
        (LOTTERY, []),
        (IN_ORDER, [2**53, 1, 1]),
        (IN_ORDER, "9" * 900),
        (PULSE, "fb8f7b"),
        (PULSE, "fb8f7bc2c2"),
        (PULSE, "fb8f7bcg"),
        (PULSE, "fb 8f 7b c2"),
        (PULSE, "0x0xfb8f7bc2"),
        (PULSE, "\uff46b8f7bc2"),
        (PULSE, [1, 2, 3, 4]),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_a_sentence(form, value):
    with pytest.raises(InvalidPublicInput) as refused:
        canonical_value(value, form)
    assert len(str(refused.value)) > 20


@given(st.text(max_size=40), st.sampled_from([LOTTERY, IN_ORDER, PULSE]))
def test_any_text_has_one_form_or_none(text, form):
    try:
        found = canonical_value(text, form)
    except InvalidPublicInput:
        return
    assert canonical_value(found, form) == found


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "numbers", "count": 0, "min": 1, "max": 2},
        {"kind": "numbers", "count": 1, "min": 3, "max": 2},
        {"kind": "numbers", "count": 1, "min": -1, "max": 2},
        {"kind": "numbers", "count": 1, "min": 1, "max": 2, "more": 1},
        {"kind": "hex", "bytes": 0},
        {"kind": "hex", "count": 1},
        {"kind": "text"},
    ],
)
def test_a_format_that_fixes_nothing_is_refused(form):
    model = HexFormat if form["kind"] == "hex" else NumbersFormat
    with pytest.raises(ValueError, match="validation error"):
        model.model_validate(form)
