"""Any text at all is taken: nothing raises, lines are real, and what is returned can be played."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem.contract import SettingsImportResult
from mymozhem_quiz.importing import (
    FORMATS,
    check_question,
    check_round,
    import_questions,
    import_rounds,
)
from mymozhem_quiz.importing.lines import lines_of

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
PIECES = {
    "opentrivia": ["#Q", "#Q Q?", "^", "^ a", "A a", "B b", "C ", "D true", "x", "\ufffd", " "],
    "csv": ["question", "right", "a", "b", "type", ",", ";", '"', "1", "boolean", "true", "Q?",
        "round", "R", "picture1", "alt1", "option1", "https://example.org/1.png"],
    "json": [
        "[", "]", "{", "}", ",", ":", '"', '"questions"', '"text"', '"Q?"', '"type"', '"boolean"',
        '"answer"', "true", "NaN", "1e999", '"\\ud800"', '"id"', '"correct_answer"', "[[[[",
        '"rounds"', '"title"', '[{"questions":[', "}]}"
    ],
}  # fmt: skip
ENDS = ["\n", "\r\n", "\r", "\x85", "\u2028", "", " "]
NAMES = ["id", "type", "text", "options", "answer", "right", "accepted", "tolerance", "points"]
NAMES += ["timeLimit", "picture", "url", "alt", "question", "correct_answer", "incorrect_answers"]
NAMES += ["rounds", "questions", "title", "timePerQuestion"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY | st.sampled_from(["single"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=12,
)


def can_be_used(result, text):
    can_be_told(result, text)
    assert all(check_question(question, pictures=False) == () for question in result.value)
    ids = [question["id"] for question in result.value]
    assert len(set(ids)) == len(ids)


def can_be_played(result, text):
    """As rounds, with the questions in them."""
    can_be_told(result, text)
    questions = [question for each in result.value for question in each["questions"]]
    assert all(each["questions"] and list(check_round(each)) == [] for each in result.value)
    assert all(check_question(question) == () for question in questions)
    for ids in ([each["id"] for each in result.value], [each["id"] for each in questions]):
        assert len(set(ids)) == len(ids)


def can_be_told(result, text):
    count = len(lines_of(text))
    assert all(1 <= problem.line <= count for problem in result.problems)
    lines = [problem.line for problem in result.problems]
    assert lines == sorted(lines)
    assert result.value or result.problems
    assert SettingsImportResult.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize("format", FORMATS)
@given(text=ANY, locale=st.sampled_from(["en", "ru"]))
def test_any_text(format, text, locale):
    can_be_used(import_questions(text, format, locale=locale), text)
    can_be_played(import_rounds(text, format, locale=locale), text)


@pytest.mark.parametrize("format", FORMATS)
@given(data=st.data())
@settings(max_examples=200)
def test_texts_that_look_like_questions(format, data):
    pieces = st.tuples(st.sampled_from(PIECES[format]), st.sampled_from(ENDS))
    parts = data.draw(st.lists(pieces, max_size=40))
    text = "".join(piece + end for piece, end in parts)
    can_be_used(import_questions(text, format), text)
    can_be_played(import_rounds(text, format), text)


@given(value=st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES), max_size=5))
def test_any_objects(value):
    text = json.dumps(value, indent=1)
    can_be_used(import_questions(text, "json"), text)
    can_be_played(import_rounds(text, "json"), text)


GOOD = st.sampled_from(
    ["#Q Q{}?\n^ a\nA a\nB b\n", "#Q Is {} true?\r\n^ true\r\nA True\r\nB False\r\n"]
)


@given(st.lists(GOOD, min_size=1, max_size=20))
def test_good_blocks_all_come_back(blocks):
    text = "\n".join(block.format(n) for n, block in enumerate(blocks))
    result = import_questions(text, "opentrivia")
    assert len(result.value) == len(blocks)
    assert result.problems == ()


# With quadratic time, these take minutes.
SIZE = 100_000
HEAVY = [
    ("opentrivia", "#Q\n" * (SIZE // 3)),
    ("opentrivia", "x\n" * (SIZE // 2)),
    ("opentrivia", "\r" * SIZE),
    ("opentrivia", "#Q Q?\n" + "^ b\n" * (SIZE // 4)),
    ("opentrivia", "#Q Q?\n^ b\n" + "A b\n" * (SIZE // 4)),
    ("opentrivia", "#Q Q?\n^ b\nA b\n" + "c d\n" * (SIZE // 4)),
    ("opentrivia", "#Q Q?\n^ b\nA b\nB " + "\u0327\u0301" * (SIZE // 2)),
    ("opentrivia", ("#Q Q?\n^ b\nA b\nB " + "\u0327\u0301" * 240 + "\n") * (SIZE // 500)),
    ("opentrivia", ("#Q Q?\n^ b\nA b\nB " + "\ufdfa" * 480 + "\n") * (SIZE // 500)),
    ("csv", 'question,right\n"' + 'a\n"' * (SIZE // 3)),
    ("csv", "question,right\n" + ('"' + "a" * 3000 + "\n") * (SIZE // 3000)),
    ("csv", "question" + ",x" * (SIZE // 2)),
    ("csv", '"' * SIZE),
    ("csv", "question\n" + "a\n" * (SIZE // 2)),
    ("csv", 'question\n"' + "a\n" * (SIZE // 2)),
    ("json", "[" * SIZE),
    ("json", "[" + "1," * (SIZE // 2)),
    ("json", "[" + "{}," * (SIZE // 3)),
    ("json", "[" + "9" * SIZE + "]"),
    ("json", "[{" + '"a":1,' * (SIZE // 6) + '"a":1}]'),
    ("json", "{" + '"questions":[],' * (SIZE // 15)),
    ("json", '[{"type":"single","text":"Q?","options":[' + "{}," * (SIZE // 3) + "{}]}]"),
    ("json", '["' + "\ufffd" * SIZE),
    ("json", "[" + '{"questions":[],"title":"x"},' * (SIZE // 28)),
    ("json", '{"rounds":[' + '{"questions":[{}]},' * (SIZE // 19)),
    ("json", '[{"questions":[' * (SIZE // 15)),
    ("csv", "question,round\n" + "a,b\n,c\n" * (SIZE // 7)),
]


@pytest.mark.parametrize(("format", "text"), HEAVY, ids=map(str, range(len(HEAVY))))
def test_the_worst_texts_end(format, text):
    can_be_used(import_questions(text, format), text)
    can_be_played(import_rounds(text, format), text)
