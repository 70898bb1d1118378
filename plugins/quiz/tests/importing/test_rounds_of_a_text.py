"""Texts say the rounds in which their questions lie, where the format has a way to."""

import json

import pytest

from mymozhem_quiz.importing import check_question, check_round, import_rounds


def made(text, **more):
    return {"type": "boolean", "text": text, "answer": True, **more}


def outline(result):
    """Titles, and the ids of the questions under them."""
    return [(one["title"], [each["id"] for each in one["questions"]]) for one in result.value]


def told(result):
    return [(each.line, each.code) for each in result.problems]


ROUNDS = [
    {"title": "Maps", "questions": [made("A?"), made("B?")]},
    {"questions": [made("C?")], "timePerQuestion": 30, "points": 5, "title": "Music"},
]


SHAPES = [ROUNDS, {"rounds": ROUNDS}, {"a": 1, "rounds": ROUNDS}, {"results": [], "rounds": ROUNDS}]


@pytest.mark.parametrize("document", SHAPES)
@pytest.mark.parametrize("indent", [None, 1])
def test_rounds_in_json(document, indent):
    result = import_rounds(json.dumps(document, indent=indent), "json")
    assert (outline(result), told(result)) == (
        [("Maps", ["q1", "q2"]), ("Music", ["q3"])],
        [],
    )
    assert [one["id"] for one in result.value] == ["r1", "r2"]
    assert (result.value[1]["points"], result.value[1]["timePerQuestion"]) == (5, 30)


def test_what_settings_hold_comes_back_as_it_is():
    picture = {"url": "https://example.org/a.png", "alt": "A"}
    options = [{"text": "x", "right": True, "picture": picture}, {"text": "y"}]
    question = {"id": "one", "type": "single", "text": "Q?", "options": options}
    rounds = [{"id": "first", "title": "Maps", "points": 3, "questions": [question]}]
    result = import_rounds(json.dumps(rounds), "json")
    assert (result.value, told(result)) == (rounds, [])


PLAIN = [
    pytest.param("json", json.dumps([made("A?"), made("B?")]), id="a list"),
    pytest.param("json", json.dumps({"questions": [made("A?"), made("B?")]}), id="questions"),
    pytest.param("csv", "question,type,right\nA?,boolean,true\nB?,boolean,true\n", id="csv"),
    pytest.param(
        "opentrivia",
        "#Q A?\n^ True\nA True\nB False\n\n#Q B?\n^ True\nA True\nB False\n",
        id="opentrivia",
    ),
]


@pytest.mark.parametrize(("format", "text"), PLAIN)
@pytest.mark.parametrize(("locale", "title"), [("en", "Round 3"), ("ru", "Раунд 3")])
def test_a_text_without_rounds_is_one(format, text, locale, title):
    result = import_rounds(text, format, locale=locale, taken=("q1",), rounds=("r1", "r3"))
    assert (outline(result), told(result)) == ([(title, ["q2", "q3"])], [])
    assert result.value[0]["id"] == "r2"


def lines(*each):
    return "\n".join(each)


JSON = [
    pytest.param(
        lines("[", '{"title": "A", "questions": [', "5]},", '{"title": "B", "questions": []}]'),
        [(3, "NOT_A_QUESTION")],
        [],
        id="no question in a round",
    ),
    pytest.param(
        lines(
            '{"rounds": [5,',
            '{"title": "", "colour": 1, "points": 0, "questions": [',
            json.dumps(made("A?")) + "]}]}",
        ),
        [
            (1, "NOT_A_ROUND"),
            (2, "UNKNOWN_ROUND_FIELD"),
            (2, "NO_TITLE"),
            (2, "OUT_OF_RANGE"),
        ],
        [("Round 1", ["q1"])],
        id="what is wrong with a round keeps no question out",
    ),
    pytest.param(
        lines(
            '{"rounds": [{"id": "x", "title": "A", "questions": [' + json.dumps(made("A?")) + "]},",
            '{"id": "x", "title": "B", "questions": [' + json.dumps(made("B?")) + "]},",
            '{"id": "a b", "title": "C", "questions": [' + json.dumps(made("C?")) + "]}]}",
        ),
        [(2, "DUPLICATE_ROUND_ID"), (3, "BAD_ID")],
        [("A", ["q1"]), ("B", ["q2"]), ("C", ["q3"])],
        id="ids of rounds",
    ),
    pytest.param(
        lines(
            '[{"title": "A", "questions": [' + json.dumps(made("A?")) + ",",
            json.dumps(made("B?")) + ",",
            "oops]}]",
        ),
        [(3, "BAD_JSON")],
        [("A", ["q1", "q2"])],
        id="what stands before the place is kept, with its title",
    ),
    pytest.param(
        lines(
            '{"rounds": [{"title": "A", "title": "B", "questions": {},',
            '"questions": [' + json.dumps(made("A?")) + "]}]}",
        ),
        [(1, "DUPLICATE_KEY"), (1, "NOT_LIST"), (2, "DUPLICATE_KEY")],
        [],
        id="names twice",
    ),
    pytest.param(
        '{"rounds": {}, "questions": [' + json.dumps(made("A?")) + "]}",
        [(1, "NOT_LIST")],
        [("Round 1", ["q1"])],
        id="rounds that are no list",
    ),
]


@pytest.mark.parametrize(("text", "problems", "found"), JSON)
def test_what_is_told_of_json(text, problems, found):
    result = import_rounds(text, "json")
    assert sorted(told(result)) == sorted(problems)
    assert outline(result) == found


def test_ids_of_rounds_may_be_whole_numbers():
    text = json.dumps([{"id": 7, "title": "A", "questions": [made("A?")]}])
    assert [one["id"] for one in import_rounds(text, "json").value] == ["7"]


TABLE = """question,type,right,Round
Before?,boolean,true,
A?,boolean,true,Maps
B?,boolean,true,
C?,boolean,true,Music
D?,boolean,true, maps
E?,boolean,true,
"""


def test_rounds_in_csv_go_on_below_their_title_and_come_together_by_it():
    result = import_rounds(TABLE, "csv")
    assert told(result) == []
    assert outline(result) == [
        ("Round 1", ["q1"]),
        ("Maps", ["q2", "q3", "q5", "q6"]),
        ("Music", ["q4"]),
    ]


def test_pictures_of_options_in_csv():
    text = (
        "question,option1,picture1,alt1,option2,right\n"
        "Which?,One,https://example.org/1.png,A  one,Two,A\n"
        "Where?,,https://example.org/1.png,,Two,B\n"
    )
    result = import_rounds(text, "csv")
    ((question,),) = [one["questions"] for one in result.value]
    assert question["options"] == [
        {
            "text": "One",
            "picture": {"url": "https://example.org/1.png", "alt": "A one"},
            "right": True,
        },
        {"text": "Two"},
    ]
    assert told(result) == [(3, "EMPTY_OPTION"), (3, "NO_ALT")]


def test_a_title_that_is_too_long_is_told_where_its_round_begins():
    result = import_rounds(f"question,type,right,round\nA?,boolean,true,{'x' * 101}\n", "csv")
    assert (outline(result), told(result)) == ([("Round 1", ["q1"])], [(2, "TEXT_TOO_LONG")])


def test_fifty_rounds_and_no_more():
    rows = [f"Q{n}?,boolean,true,Title {n}\n" for n in range(52)]
    rows.append("Again?,boolean,true,Title 1\n")
    result = import_rounds(f"question,type,right,round\n{''.join(rows)}", "csv")
    assert (len(result.value), told(result)) == (50, [(52, "MANY_ROUNDS")])
    assert len(result.value[1]["questions"]) == 2


def test_five_hundred_questions_in_all_rounds_and_no_more():
    rounds = [
        {"title": f"T{n}", "questions": [made(f"Q{n}-{each}?") for each in range(200)]}
        for n in range(3)
    ]
    result = import_rounds(json.dumps(rounds), "json")
    assert [len(one["questions"]) for one in result.value] == [200, 200, 100]
    assert [code for _, code in told(result)] == ["TOO_MANY"]


def test_the_same_question_is_asked_once_whatever_its_round():
    rounds = [{"title": title, "questions": [made("A?")]} for title in ("A", "B")]
    result = import_rounds(json.dumps(rounds), "json")
    assert (outline(result), told(result)) == ([("A", ["q1"])], [(1, "DUPLICATE_QUESTION")])


@pytest.mark.parametrize("part", [{}, {"title": "x" * 100, "points": 1, "timePerQuestion": 600}])
def test_a_good_round(part):
    assert list(check_round(part)) == []


@pytest.mark.parametrize(
    ("picture", "faults"),
    [
        ("x", [("/options/0/picture", "NOT_OBJECT")]),
        ({"url": "https://example.org/a.png"}, [("/options/0/picture/alt", "NO_ALT")]),
        ({"url": "http://example.org", "alt": "A"}, [("/options/0/picture/url", "BAD_PICTURE")]),
        (
            {"url": "https://example.org", "alt": "A", "by": "B"},
            [("/options/0/picture/by", "UNKNOWN_FIELD")],
        ),
    ],
)
def test_a_picture_of_an_option_needs_an_address_and_words(picture, faults):
    options = [{"text": "a", "right": True, "picture": picture}, {"text": "b"}]
    question = {"id": "q1", "type": "single", "text": "Q?", "options": options}
    assert [(one.pointer, one.code) for one in check_question(question)] == faults
    first = [one.code for one in check_question(question, pictures=False)]
    assert first == ["UNKNOWN_FIELD"]
