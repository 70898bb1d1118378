"""Nothing that leaves the app before a question is closed depends on its answer."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem.contract import OpenWindow
from mymozhem_quiz.answer_keys import Asked, accepts
from mymozhem_quiz.settings import Question


def options(right):
    return [{"text": text, "right": n in right} for n, text in enumerate("uvwxyz"[:4])]


KEYS = [
    pytest.param("single", [{"options": options({n})} for n in range(4)], id="single"),
    pytest.param(
        "multiple",
        [{"options": options(r)} for r in ({0}, {3}, {0, 1, 2, 3}, {1, 2})],
        id="multiple",
    ),
    pytest.param("boolean", [{"answer": True}, {"answer": False}], id="boolean"),
    pytest.param("number", [{"answer": a, "tolerance": 2} for a in (1, -1e9, 0.5)], id="number"),
    pytest.param("nearest", [{"answer": answer} for answer in (1, -1e9, 0.5)], id="nearest"),
    pytest.param(
        "text", [{"accepted": one} for one in (["a"], ["b" * 200], ["c", "d", "e"])], id="text"
    ),
]


@pytest.mark.parametrize(("kind", "keys"), KEYS)
@pytest.mark.parametrize("shuffled", [True, False])
def test_the_same_question_with_another_key_looks_the_same(room, question, kind, keys, shuffled):
    looks = []
    for key in keys:
        played = room(question("q1", kind, **key), shuffleOptions=shuffled)
        played.act("start")
        looks.append(played.seen())
    assert all(look == looks[0] for look in looks)


def test_an_order_to_be_found_is_shuffled_and_every_order_comes_up(room, question):
    orders = set()
    for calls in range(60):
        played = room(question("q1", "order"))
        played.calls = calls
        played.act("start")
        assert [one["id"] for one in played.prompt()["options"]] == ["a", "b", "c"]
        orders.add(tuple(one["text"] for one in played.prompt()["options"]))
    assert len(orders) == 6


@settings(deadline=None)
@given(st.permutations("012"))
def test_the_schema_says_nothing_of_the_order(order):
    listed = [{"text": one} for one in ("one", "two", "three")]
    question = Question(id="q", type="order", text="?", options=listed)
    assert accepts(Asked(question, "".join(order))) == accepts(Asked(question, "012"))


def test_the_id_of_a_question_is_told_with_its_answer_and_not_before(room, question):
    played = room(question("paris-is-right", text="Which one?"))
    played.act("start")
    windows, state, log = played.seen()
    assert "paris" not in "".join((*windows, state, *log))
    played.close()
    assert played.told("answer_revealed")[0]["questionId"] == "paris-is-right"


@pytest.mark.parametrize("kind", ["single", "multiple", "number", "text", "order"])
def test_the_key_is_only_in_the_private_rules(room, question, kind):
    played = room(question("q1", kind))
    played.act("start")
    (window,) = played.windows.values()
    assert isinstance(window.declared, OpenWindow)
    assert window.declared.rules is not None
    assert window.declared.data == {"question": "q1"}
    assert played.told("answer_revealed") == []


def test_at_peoples_own_pace_nothing_is_told_before_the_end(room, question):
    played = room(
        question("q1"), question("q2"), pace="self", closesAt="2027-01-02T00:00:00Z", teams="off"
    )
    played.act("start")
    windows = [one.declared for one in played.windows.values()]
    assert [one.results for one in windows] == ["onReveal", "onReveal"]
    assert [one.close_on for one in windows] == ["deadline", "deadline"]
    assert windows[0].duration_ms == timedelta(hours=28) // timedelta(milliseconds=1)
    played.answer("p1", "b", window="q-1").close("q-1")
    assert played.told("answer_revealed") == played.told("round_winner") == []
    played.close("q-2").fire()
    assert [one["questionId"] for one in played.told("answer_revealed")] == ["q1", "q2"]
    assert played.revealed == ["q-1", "q-2"]
    assert played.status == "FINISHED"
