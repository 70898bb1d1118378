"""Ids, limits and languages of a whole import."""

import json
import string

import pytest

from mymozhem.contract import Refuse
from mymozhem_quiz.importing import import_questions
from mymozhem_quiz.importing.collect import MAX_DRAFTS
from mymozhem_quiz.importing.messages_en import ENGLISH, say
from mymozhem_quiz.importing.messages_ru import RUSSIAN


def imported(*ids, **more):
    """Questions whose ids are given, on lines of their own from 2 on; None where it has none."""
    elements = [
        {
            "type": "boolean",
            "text": f"Q{n}?",
            "answer": True,
            **({} if own is None else {"id": own}),
        }
        for n, own in enumerate(ids)
    ]
    text = "[\n" + ",\n".join(json.dumps(each) for each in elements) + "]"
    return import_questions(text, "json", **more)


IDS = [
    ((None, None, None), ["q1", "q2", "q3"], []),
    (("a", None, "b"), ["a", "q2", "b"], []),
    ((None, None, "q1"), ["q2", "q3", "q1"], []),
    (("q2", None, "q3"), ["q2", "q4", "q3"], []),
    ((7, None), ["7", "q2"], []),
    (("a", "a", "a"), ["a", "q2", "q3"], [(3, "DUPLICATE_ID"), (4, "DUPLICATE_ID")]),
    (("a b", ""), ["q1", "q2"], [(2, "BAD_ID"), (3, "BAD_ID")]),
    ((True, [1]), ["q1", "q2"], [(2, "BAD_ID"), (3, "BAD_ID")]),
]


@pytest.mark.parametrize(("given", "ids", "problems"), IDS)
def test_ids(given, ids, problems):
    result = imported(*given)
    assert [question["id"] for question in result.value] == ids
    assert [(each.line, each.code) for each in result.problems] == problems


def test_new_ids_skip_those_that_are_taken():
    result = imported(None, "q2", None, taken=("q1", "q2", "q4"))
    assert [question["id"] for question in result.value] == ["q3", "q2", "q5"]
    assert result.problems == ()


def test_more_than_five_hundred():
    blocks = [f"#Q Q{n}?\n^ x\nA x\nB y\n" for n in range(502)]
    blocks[3] = "#Q none\n"
    result = import_questions("".join(blocks) + "#Q last\n", "opentrivia")
    first_left_out = 4 * 501 - 3 + 1
    assert len(result.value) == 500
    assert [(each.line, each.code) for each in result.problems] == [
        (13, "NO_ANSWER"),
        (13, "TOO_FEW_OPTIONS"),
        (first_left_out, "TOO_MANY"),
        (first_left_out + 4, "NO_ANSWER"),
        (first_left_out + 4, "TOO_FEW_OPTIONS"),
    ]


def test_five_hundred_are_not_too_many():
    assert imported(*[None] * 500).problems == ()


def test_a_thousand_problems_are_told():
    result = import_questions("[\n" + "5,\n" * 1500 + "5]", "json")
    assert len(result.problems) == 1000
    last = result.problems[-1]
    assert (last.line, last.code) == (1001, "MORE_PROBLEMS")
    assert "502" in last.message


def test_a_text_with_far_too_many_questions_is_not_read_to_its_end():
    rows = "question,type,right\n" + "Same?,boolean,true\n" * (MAX_DRAFTS + 5)
    result = import_questions(rows, "csv")
    assert len(result.value) == 1
    assert len(result.problems) == 1000
    assert f"{MAX_DRAFTS - 999}" in result.problems[-1].message


@pytest.mark.parametrize(
    ("locale", "start"), [("en", "The right"), ("ru-RU", "Нет"), ("fr", "The")]
)
def test_problems_are_in_the_rooms_language(locale, start):
    result = import_questions("#Q Q?\nA a\nB b", "opentrivia", locale=locale)
    assert [each.message.startswith(start) for each in result.problems] == [True]


@pytest.mark.parametrize("format", ["xml", "", "CSV"])
def test_an_unknown_format_is_refused(format):
    with pytest.raises(Refuse, match="FORMAT_UNKNOWN"):
        import_questions("", format)


def blanks(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_know_the_same_sentences():
    assert ENGLISH.keys() == RUSSIAN.keys()


@pytest.mark.parametrize("key", ENGLISH)
def test_both_languages_leave_the_same_blanks(key):
    assert blanks(ENGLISH[key]) == blanks(RUSSIAN[key])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\x00b\ud800\x85\n c", "a b c"),
        ("x" * 61, "x" * 59 + "…"),
        ("x" * 60, "x" * 60),
        ("{id}", "{id}"),
        ([[]], "…"),
        (5, "5"),
    ],
)
def test_what_a_sentence_quotes_can_be_shown(value, shown):
    assert say("en", "BAD_ID", id=value).startswith(f"“{shown}” ")
