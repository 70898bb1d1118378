"""A document comes back exactly as it was, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.db.json_text import dump, load

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(documents)
def test_every_value_keeps_its_type_and_every_key_its_place(document):
    assert repr(load(dump(document))) == repr(document)


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**30, 10**400])
def test_an_integer_of_any_size_stays_one(number):
    assert load(dump({"number": [number]})) == {"number": [number]}


@pytest.mark.parametrize(
    "document", [float("nan"), float("-inf"), [None, float("nan")], {1: 1}, "\ud800", {1, 2}, b""]
)
def test_what_json_cannot_hold_is_refused(document):
    with pytest.raises((TypeError, ValueError)):
        dump({"document": document})
