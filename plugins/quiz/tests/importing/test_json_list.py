"""Elements of a list become questions; a text that stops being JSON is told where it does."""

import json

import pytest

STAR = {"type": "boolean", "text": "Is the sun a star?", "answer": True}
MOON = {"type": "boolean", "text": "Is the moon a star?", "answer": False}
ALL = [
    STAR,
    {
        "type": "multiple",
        "text": "Primes?",
        "options": [{"text": "2", "right": True}, {"text": "4", "right": False}],
        "timeLimit": 30,
        "points": 10,
        "picture": {"url": "https://example.org/2.png", "alt": "A two"},
    },
    {"type": "number", "text": "Pi?", "answer": 3.14, "tolerance": 0.01},
    {"type": "text", "text": "Capital?", "accepted": ["Paris"]},
    {"type": "order", "text": "Size?", "options": [{"text": "mouse"}, {"text": "cow"}]},
]


@pytest.mark.parametrize("document", [ALL, {"questions": ALL}, {"a": [{}], "questions": ALL}])
@pytest.mark.parametrize("indent", [None, 2])
def test_the_shape_of_settings(questions, document, indent):
    assert questions(json.dumps(document, indent=indent), "json") == ALL
    assert questions("\ufeff \r\n" + json.dumps(document), "json") == ALL


DB = {"type": "multiple", "difficulty": "easy", "category": "Books"}
EMMA = {
    **DB,
    "question": "Who wrote &quot;Emma&quot;?",
    "correct_answer": "Jane Austen",
    "incorrect_answers": ["Mary Shelley", "Andr&eacute; Gide"],
}


@pytest.mark.parametrize("document", [{"response_code": 0, "results": [EMMA]}, [EMMA]])
def test_open_trivia_db(questions, document):
    assert questions(json.dumps(document), "json") == [
        {
            "type": "single",
            "text": 'Who wrote "Emma"?',
            "options": [
                {"text": "André Gide"},
                {"text": "Jane Austen", "right": True},
                {"text": "Mary Shelley"},
            ],
        }
    ]


@pytest.mark.parametrize(("answer", "truth"), [("True", True), ("False", False)])
def test_open_trivia_db_knows_booleans(questions, answer, truth):
    question = {"type": "boolean", "question": "So?", "correct_answer": answer}
    (read,) = questions(json.dumps([question]), "json")
    assert read == {"type": "boolean", "text": "So?", "answer": truth}


GOOD = json.dumps(STAR)
OTHER = json.dumps(MOON)
TOLD = [
    pytest.param(f"[{GOOD},\n\n5]", [(3, "NOT_A_QUESTION")], id="no object"),
    pytest.param(f"[{GOOD},\n{{}}]", [(2, "BAD_TYPE"), (2, "EMPTY_QUESTION")], id="no fields"),
    pytest.param(f"[{GOOD},\n{GOOD}]", [(2, "DUPLICATE_QUESTION")], id="same question"),
    pytest.param(f"[{GOOD},{GOOD}]", [(1, "DUPLICATE_QUESTION")], id="same question and line"),
    pytest.param(f"[{GOOD},\n{OTHER}", [(2, "BAD_JSON")], id="no end"),
    pytest.param(f"[{GOOD},\r\n\r\n]", [(3, "BAD_JSON")], id="a comma too many"),
    pytest.param(f"[{GOOD}\n{OTHER}]", [(2, "BAD_JSON")], id="a comma too few"),
    pytest.param(f"[{GOOD}]\n]", [(2, "BAD_JSON")], id="more behind the end"),
    pytest.param(f"[{GOOD},\n{{'type'}}]", [(2, "BAD_JSON")], id="single quotes"),
    pytest.param('[\n"a\nb"]', [(2, "BAD_JSON")], id="line end in a text"),
    pytest.param("\n5", [(2, "BAD_JSON")], id="a number"),
    pytest.param("{5}", [(1, "BAD_JSON")], id="a name that is none"),
    pytest.param('{"a" 5}', [(1, "BAD_JSON")], id="no colon"),
    pytest.param('{"a": 5 "b"}', [(1, "BAD_JSON")], id="no comma"),
    pytest.param('{"questions":\n{}}', [(2, "NOT_LIST")], id="no list"),
    pytest.param(
        f'{{"questions": [{GOOD}],\n"questions": [{OTHER}]}}',
        [(2, "DUPLICATE_KEY")],
        id="two lists",
    ),
    pytest.param('{"a": 1}', [(1, "NO_QUESTIONS")], id="no questions"),
    pytest.param("[]", [(1, "NO_QUESTIONS")], id="empty list"),
    pytest.param("{}", [(1, "NO_QUESTIONS")], id="empty object"),
    pytest.param("", [(1, "NO_QUESTIONS")], id="nothing"),
    pytest.param("[" * 100_000, [(1, "TOO_DEEP")], id="deep lists"),
    pytest.param('{"a":' * 100_000, [(1, "TOO_DEEP")], id="deep objects"),
    pytest.param(
        f'[{GOOD},\n{{"type": "number", "text": "Q?", "answer": NaN}}]',
        [(2, "NOT_JSON_NUMBER"), (2, "NOT_NUMBER")],
        id="NaN",
    ),
    pytest.param(
        '[{"type": "number", "text": "Q?",\n"answer": -1e999}]', [(1, "OUT_OF_RANGE")], id="1e999"
    ),
    pytest.param(
        f'[{{"type": "number", "text": "Q?", "answer": {"9" * 5000}}}]',
        [(1, "OUT_OF_RANGE")],
        id="5000 digits",
    ),
    pytest.param(
        '[{"type": "boolean", "type": "boolean", "text": "Q?", "answer": true}]',
        [(1, "DUPLICATE_KEY")],
        id="a name twice",
    ),
    pytest.param(
        '[{"type": "boolean", "answer": true,\n"text": "Q\ufffd?"}]',
        [(2, "BAD_ENCODING")],
        id="lost character",
    ),
    pytest.param(
        '[{"type": "boolean", "answer": true, "text": "Q\\ufffd\\ud800\\u0000?"}]',
        [(1, "BAD_ENCODING"), (1, "CONTROL_CHARACTER")],
        id="escaped characters",
    ),
    pytest.param(
        '[{"question": "Q?", "correct_answer": [[]], "incorrect_answers": ["x", "y"]}]',
        [(1, "NOT_TEXT")],
        id="a list for an answer",
    ),
    pytest.param(
        '[{"question": 5, "correct_answer": "x", "incorrect_answers": {}}]',
        [(1, "NOT_LIST")],
        id="an object for a list",
    ),
    pytest.param(
        '[{"type": "boolean", "question": "Q?", "correct_answer": "Vrai"}]',
        [(1, "NOT_BOOLEAN")],
        id="no truth",
    ),
]


@pytest.mark.parametrize(("text", "problems"), TOLD)
def test_what_is_told(told, text, problems):
    assert told(text, "json") == problems
