"""What is right is the same for the schema that the host holds and for the app itself."""

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem_quiz.answer_keys import Asked, accepts, is_right, rules, which_right
from mymozhem_quiz.settings import Question


def asked(kind, order="", **more):
    return Asked(Question(id="q", type=kind, text="?", **more), order)


def options(*texts):
    return [
        {"text": text.strip("*+"), "right": "*" in text, "accepted": "+" in text} for text in texts
    ]


SINGLE = asked("single", "201", options=options("x", "y*", "z"))
SEVERAL = asked("multiple", "0123", options=options("x*", "y*", "z", "maybe+"))
ORDER = asked("order", "201", options=options("1", "2", "3"))
TEXT = asked("text", accepted=["Straße", "Volga"])

ANSWERS = [
    pytest.param(SINGLE, "c", True, id="options have the letters of their places"),
    pytest.param(SINGLE, "a", False, id="another option"),
    pytest.param(asked("single", "01", options=options("x*", "y+")), "b", True, id="accepted"),
    pytest.param(SEVERAL, ["b", "a"], True, id="all right ones in any order"),
    pytest.param(SEVERAL, ["a", "b", "d"], True, id="an accepted one may be chosen as well"),
    pytest.param(SEVERAL, ["a"], False, id="one is missing"),
    pytest.param(SEVERAL, ["a", "b", "c"], False, id="one too many"),
    pytest.param(SEVERAL, ["d"], False, id="an accepted one alone"),
    pytest.param(asked("boolean", answer=True), "true", True, id="true"),
    pytest.param(asked("boolean", answer=False), "true", False, id="not true"),
    pytest.param(ORDER, ["b", "c", "a"], True, id="in order"),
    pytest.param(ORDER, ["a", "b", "c"], False, id="as shown"),
    pytest.param(asked("number", answer=0.3, tolerance=0.1), 0.2, True, id="decimals as written"),
    pytest.param(asked("number", answer=0.3, tolerance=0.1), 0.4, True, id="the upper bound"),
    pytest.param(asked("number", answer=0.3, tolerance=0.1), 0.41, False, id="beyond it"),
    pytest.param(asked("number", answer=7, tolerance=0), 7.0, True, id="exactly"),
    pytest.param(asked("number", answer=-5, tolerance=1), -6, True, id="below zero"),
]


@pytest.mark.parametrize(("question", "answer", "right"), ANSWERS)
def test_an_answer_is_right_for_the_app_and_by_the_rules(question, answer, right):
    jsonschema.validate({"answer": answer}, accepts(question))
    assert is_right(question, answer) is right
    assert jsonschema.Draft202012Validator(rules(question)).is_valid({"answer": answer}) is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [("volga", True), ("  VOLGA ", True), ("strasse", True), ("\uff36olga", True), ("Don", False)],
)
def test_texts_are_folded(answer, right):
    assert is_right(TEXT, answer) is right


@pytest.mark.parametrize(
    ("locale", "accepted", "answer", "right"),
    [
        ("en", "Rock 'n' Roll", "Rock \u2019n\u2019 Roll", True),
        ("en", "Jean-Paul", "Jean\u2011Paul", True),
        (
            "ru",
            "\u041a\u043e\u0440\u043e\u043b\u0451\u0432",
            "\u043a\u043e\u0440\u043e\u043b\u0435\u0432",
            True,
        ),
        ("de", "M\u00fcller", "Mueller", True),
        ("en", "M\u00fcller", "Mueller", False),
    ],
)
def test_texts_are_folded_by_the_language_of_the_room(locale, accepted, answer, right):
    question = Question(id="q", type="text", text="?", accepted=(accepted,))
    assert is_right(Asked(question, "", locale), answer) is right


@pytest.mark.parametrize(
    ("answers", "right"),
    [
        ([40, 43, 41.5], [False, False, True]),
        ([41, 43, 50], [True, True, False]),
        ([0.1, 0.1], [True, True]),
        ([42], [True]),
        ([], []),
    ],
)
def test_the_nearest_number_is_right_and_all_that_are_equally_near(answers, right):
    question = asked("number", answer=42)
    assert rules(question) is None
    assert which_right(question, [{"answer": one} for one in answers]) == right


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["a", "b", "c", "true", "false", "volga"]),
    lambda below: st.lists(below, max_size=4),
    max_leaves=5,
)  # fmt: skip


@settings(deadline=None)
@given(
    st.sampled_from([SINGLE, SEVERAL, ORDER, asked("boolean", answer=True)])
    | st.builds(
        lambda a, t: asked("number", answer=a, tolerance=t), st.integers(-9, 9), st.floats(0, 5)
    ),
    JUNK,
)
def test_whatever_is_sent_app_and_rules_agree_where_the_host_lets_it_through(question, answer):
    payload = {"answer": answer}
    if jsonschema.Draft202012Validator(accepts(question)).is_valid(payload):
        found = jsonschema.Draft202012Validator(rules(question)).is_valid(payload)
        assert is_right(question, answer) is found
