"""What people may call themselves."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.auth.name_rules import (
    MAX_CODE_POINTS,
    NameProblem,
    name_problems,
    shortened,
    title_problems,
    visible_name,
)
from mymozhem.errors import Invalid

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
ITALY = "\U0001f1ee\U0001f1f9"
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
        (f"{SCOTLAND} Ailsa", f"{SCOTLAND} Ailsa"),
        (SCOTLAND * 22, SCOTLAND * 22),
        (ITALY * 32, ITALY * 32),
        ("Ada \u2122\ufe0f\u203c\ufe0f", "Ada \u2122\ufe0f\u203c\ufe0f"),
        ("\U0001fae9", "\U0001fae9"),  # from a later Unicode than that of Python 3.11
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
        (f"A{SCOTLAND[1:]}", NameProblem.INVISIBLE),
        (SCOTLAND[:-1], NameProblem.INVISIBLE),
        (f"{SCOTLAND}{SCOTLAND[1:]}", NameProblem.INVISIBLE),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0048\U000e0049\U000e007f", NameProblem.INVISIBLE),
        (ITALY * 33, NameProblem.LONG),
        ("\U0001d159", NameProblem.EMPTY),
        ("\u00a0\u3000\u2003", NameProblem.EMPTY),
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


@pytest.mark.parametrize(
    ("title", "problem"),
    [
        *((f"Quiz{turn}night", NameProblem.DIRECTION) for turn in "\u202e\u202d\u2066\u2069\u200f"),
        *(
            (blank, NameProblem.EMPTY)
            for blank in "\u00a0\u2003\u2800\u3164\u200b\u00ad\ufeff\u034f"
        ),
        ("Quiz\u200bnight", NameProblem.INVISIBLE),
        ("Quiz\nnight", NameProblem.CONTROL),
        ("Z" + "\u0301\u0302\u0303\u0304\u0305\u0306", NameProblem.MARKS),
    ],
)
def test_the_name_of_a_thing_has_no_tricks_either(title, problem):
    assert problem in title_problems(title)


@pytest.mark.parametrize("title", ["Quiz night", "a" * 100, f"Burns Night {SCOTLAND}", PERSIAN])
def test_the_name_of_a_thing_may_be_longer(title):
    assert title_problems(title) == ()


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("M" * 32, "M" * 30),
        ("M" * 30, "M" * 30),
        ("M" * 29 + " MM", "M" * 29),
        (ITALY * 32, ITALY * 30),
        (SCOTLAND * 22, SCOTLAND * 22),
        (f"{'M' * 28}{PERSIAN[:5]}", f"{'M' * 28}{PERSIAN[:2]}"),
        ("e\u0323" * 32, "\u1eb9" * 30),
        ("\u2764\ufe0f" * 32, "\u2764\ufe0f" * 30),
    ],
)
def test_a_name_is_cut_between_characters(name, short):
    given = visible_name(name)
    assert shortened(given, suffix=" 2") == short
    assert visible_name(f"{short} 2") == f"{short} 2"


@given(st.text(st.sampled_from(f"Ma é\u0301 \u200c\u200d\ufe0f{PERSIAN}{ITALY}{FAMILY}{SCOTLAND}")))
def test_a_valid_name_stays_valid_with_a_suffix(given):
    if not name_problems(given):
        cut = shortened(visible_name(given), suffix=" 1234567")
        assert name_problems(f"{cut} 1234567") == ()
