"""What people may call themselves."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.auth.name_rules import MAX_CODE_POINTS, NameProblem, name_problems, visible_name
from mymozhem.errors import Invalid

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Ada", "Ada"),
        ("  Ada  ", "Ada"),
        ("Ada \u00a0 Lovelace", "Ada Lovelace"),
        ("Ada\n", "Ada"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("O'Neill-Søren", "O'Neill-Søren"),
        ("李小龙", "李小龙"),
        ("Мария", "Мария"),
        ("محمد", "محمد"),
        (PERSIAN, PERSIAN),
        ("क्\u200dष", "क्\u200dष"),
        (FAMILY, FAMILY),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d\U0001f3fd"),
        ("\U0001f1ee\U0001f1f9", "\U0001f1ee\U0001f1f9"),
        ("<script>", "<script>"),
        ("a" * 32, "a" * 32),
        (FAMILY * 5, FAMILY * 5),
        ("e\u0301\u0323\u0302\u0301", unicodedata.normalize("NFC", "e\u0301\u0323\u0302\u0301")),
    ],
)
def test_a_name_is_shown_as_it_is_meant(given, shown):
    assert visible_name(given) == shown


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("", NameProblem.EMPTY),
        ("   ", NameProblem.EMPTY),
        ("\u0301", NameProblem.EMPTY),
        ("a" * 33, NameProblem.LONG),
        ("a" * 1_000_000, NameProblem.LONG),
        ("Ada\nLovelace", NameProblem.CONTROL),
        ("Ada\x00", NameProblem.CONTROL),
        ("Ada\u2028Lovelace", NameProblem.CONTROL),
        ("Ada\x7f", NameProblem.CONTROL),
        *((f"Ada{turn}b", NameProblem.DIRECTION) for turn in "\u202a\u202b\u202c\u202d\u202e"),
        *((f"Ada{turn}b", NameProblem.DIRECTION) for turn in "\u2066\u2067\u2068\u2069"),
        *((f"Ada{turn}b", NameProblem.DIRECTION) for turn in "\u200e\u200f\u061c"),
        *((f"A{hidden}b", NameProblem.INVISIBLE) for hidden in "\u200b\u200c\u200d\u2060\ufeff"),
        *((f"A{hidden}b", NameProblem.INVISIBLE) for hidden in "\u00ad\u034f\u180e\u2061\u3164"),
        *((f"A{hidden}b", NameProblem.INVISIBLE) for hidden in "\u2800\uffa0\u115f\ufe0f\ufe00"),
        ("\u200dAda", NameProblem.INVISIBLE),
        ("Ada\u200c", NameProblem.INVISIBLE),
        ("1\u200d2", NameProblem.INVISIBLE),
        ("1\ufe0f", NameProblem.INVISIBLE),
        ("A\U000e0041", NameProblem.INVISIBLE),
        ("A\U000e0100", NameProblem.INVISIBLE),
        ("A\ue000", NameProblem.INVISIBLE),
        ("A\ud800", NameProblem.INVISIBLE),
        ("A\u0378", NameProblem.INVISIBLE),
        ("\u0378\u200cA", NameProblem.INVISIBLE),
        ("Z" + "\u0301\u0302\u0303\u0304\u0305\u0306", NameProblem.MARKS),
    ],
)
def test_a_trick_is_refused_and_named(given, problem):
    with pytest.raises(Invalid) as refused:
        visible_name(given, field="displayName")
    assert problem in name_problems(given)
    assert problem.value in refused.value.details["fields"]["displayName"]


def test_every_problem_is_named_at_once():
    found = name_problems("\x00\u202e\u200b" + "a" * 40)
    assert found == (
        NameProblem.LONG,
        NameProblem.CONTROL,
        NameProblem.DIRECTION,
        NameProblem.INVISIBLE,
    )


@given(st.text(max_size=400))
def test_a_name_that_came_out_goes_in_unchanged_and_can_be_stored(given):
    if not name_problems(given):
        shown = visible_name(given)
        assert visible_name(shown) == shown
        assert 1 <= len(shown) <= MAX_CODE_POINTS
        assert shown.encode()
