"""Rows of a table become questions; every problem is told for the line where the row begins."""

import pytest

from mymozhem_quiz.importing import read_questions

JUPITER = {
    "type": "single",
    "text": "Largest planet?",
    "options": [{"text": "Mars"}, {"text": "Jupiter", "right": True}],
}
GOOD = "question,option1,option2,right\nLargest planet?,Mars,Jupiter,B\n"

SAME = [
    pytest.param(GOOD, id="comma"),
    pytest.param(GOOD.replace(",", ";"), id="semicolon"),
    pytest.param(GOOD.replace(",", "\t"), id="tab"),
    pytest.param("\ufeff" + GOOD.replace("\n", "\r\n"), id="as spreadsheets write it"),
    pytest.param(GOOD.replace("option1,option2", "a,b"), id="letters for columns"),
    pytest.param(GOOD.replace("option1,option2", "Option 1,OPTION_2"), id="other spelling"),
    pytest.param(GOOD.replace(",B", ",b"), id="small letter"),
    pytest.param(GOOD.replace(",B", ",2"), id="number"),
    pytest.param(GOOD.replace("Mars", '"Mars"'), id="quoted cell"),
    pytest.param("\n" + GOOD.replace("\n", "\n\n"), id="empty lines"),
    pytest.param(GOOD + ",,,\n", id="empty row"),
    pytest.param(GOOD.replace("B\n", "B,,\n"), id="empty cells behind"),
    pytest.param(GOOD.replace("Mars", "  Mars "), id="spaces around"),
]


@pytest.mark.parametrize("text", SAME)
def test_spelling_does_not_count(questions, text):
    assert questions(text, "csv") == [JUPITER]


def row(**cells):
    def quoted(cell):
        return '"' + cell.replace('"', '""') + '"'

    return f"{','.join(cells)}\n{','.join(map(quoted, cells.values()))}\n"


READ = [
    pytest.param(
        row(question="Primes?", type="Multiple", a="2", b="4", c="5", right="1; C"),
        {
            "type": "multiple",
            "text": "Primes?",
            "options": [{"text": "2", "right": True}, {"text": "4"}, {"text": "5", "right": True}],
        },
        id="several right",
    ),
    pytest.param(
        row(question="Star?", type="boolean", right="FALSE"),
        {"type": "boolean", "text": "Star?", "answer": False},
        id="boolean",
    ),
    pytest.param(
        row(question="Pi?", type="number", right="3,14", tolerance="0.01"),
        {"type": "number", "text": "Pi?", "answer": 3.14, "tolerance": 0.01},
        id="number",
    ),
    pytest.param(
        row(question="Legs?", type="number", right="8.0"),
        {"type": "number", "text": "Legs?", "answer": 8},
        id="whole number",
    ),
    pytest.param(
        row(question="Capital?", type="text", right="Paris | Lutetia;  City of  Light;"),
        {"type": "text", "text": "Capital?", "accepted": ["Paris", "Lutetia", "City of Light"]},
        id="text",
    ),
    pytest.param(
        row(question="Size?", type="order", option1="mouse", option3="cat", option8="cow"),
        {
            "type": "order",
            "text": "Size?",
            "options": [{"text": "mouse"}, {"text": "cat"}, {"text": "cow"}],
        },
        id="order, with gaps",
    ),
    pytest.param(
        row(
            question="Pi?",
            type="number",
            right="3",
            time="30",
            points="50",
            picture="https://example.org/pi.png",
            alt="A circle",
        ),
        {
            "type": "number",
            "text": "Pi?",
            "answer": 3,
            "timeLimit": 30,
            "points": 50,
            "picture": {"url": "https://example.org/pi.png", "alt": "A circle"},
        },
        id="all about it",
    ),
    pytest.param(
        row(question='He said:\r\n"Go, now!"', type="boolean", right="true"),
        {"type": "boolean", "text": 'He said:\n"Go, now!"', "answer": True},
        id="line ends and quotes in a cell",
    ),
    pytest.param(
        row(question="Third?", a="x", c="y", right="c"),
        {
            "type": "single",
            "text": "Third?",
            "options": [{"text": "x"}, {"text": "y", "right": True}],
        },
        id="the column counts, not the place",
    ),
]


@pytest.mark.parametrize(("text", "question"), READ)
def test_what_is_read(questions, text, question):
    assert questions(text, "csv") == [question]


TOLD = [
    pytest.param(row(question="Q?", a="x", b="y"), [(2, "NO_ANSWER")], id="nothing right"),
    pytest.param(
        row(question="Q?", a="x", b="y", right="c"), [(2, "ANSWER_NOT_AN_OPTION")], id="letter"
    ),
    pytest.param(
        row(question="Q?", a="x", b="y", right="9"), [(2, "ANSWER_NOT_AN_OPTION")], id="number"
    ),
    pytest.param(row(question="Q?", a="x", b="y", right="1;2"), [(2, "SEVERAL_ANSWERS")], id="two"),
    pytest.param(row(question="Q?", a="x", right="a"), [(2, "TOO_FEW_OPTIONS")], id="one option"),
    pytest.param(row(question="", a="x", b="y", right="a"), [(2, "EMPTY_QUESTION")], id="no text"),
    pytest.param(row(question="Q?", type="essay", right="x"), [(2, "BAD_TYPE")], id="bad type"),
    pytest.param(
        row(question="Q?", type="boolean", right="oui"), [(2, "ANSWER_UNREADABLE")], id="oui"
    ),
    pytest.param(row(question="Q?", type="boolean"), [(2, "NO_ANSWER")], id="no truth"),
    pytest.param(row(question="Q?", type="text", right=" ; "), [(2, "NO_ANSWER")], id="no words"),
    pytest.param(
        row(question="Q?", type="number", right="many"), [(2, "ANSWER_UNREADABLE")], id="many"
    ),
    pytest.param(
        row(question="Q?", type="number", right="1e400"), [(2, "OUT_OF_RANGE")], id="huge"
    ),
    pytest.param(
        row(question="Q?", type="number", right="1", tolerance="-1"),
        [(2, "OUT_OF_RANGE")],
        id="negative tolerance",
    ),
    pytest.param(
        row(question="Q?", type="number", right="1", time="soon", points="1.5"),
        [(2, "BAD_NUMBER"), (2, "NOT_WHOLE")],
        id="time and points",
    ),
    pytest.param(
        row(question="Q?", type="boolean", right="true", tolerance="1"),
        [(2, "FIELD_NOT_FOR_TYPE")],
        id="tolerance of a truth",
    ),
    pytest.param(
        row(question="Q?", type="order", a="x", b="y", right="b;a"),
        [(2, "FIELD_NOT_FOR_TYPE")],
        id="right of an order",
    ),
    pytest.param(
        row(question="Q?", type="boolean", right="true", picture="http://x.org/a b"),
        [(2, "BAD_PICTURE"), (2, "NO_ALT")],
        id="picture",
    ),
    pytest.param(
        row(question="Q\ufffd?", type="boolean", right="true"), [(2, "BAD_ENCODING")], id="lost"
    ),
    pytest.param(GOOD + "Q?,a,b,1,extra\n", [(3, "TOO_MANY_CELLS")], id="too many cells"),
    pytest.param(GOOD + 'Q?,"a,b,1\nR?,a,b,1\n', [(3, "BROKEN_QUOTES")], id="open quotes"),
    pytest.param(GOOD + 'Q?,"a"x,b,1\nR?,a,b,1\n', [(3, "BROKEN_QUOTES")], id="early quotes"),
    pytest.param("colour,question,note\n", [(1, "UNKNOWN_COLUMN")], id="unknown, told once"),
    pytest.param("question,Question\n", [(1, "DUPLICATE_COLUMN")], id="column twice"),
    pytest.param("a,b,right\nx,y,1\n", [(1, "NO_QUESTION_COLUMN")], id="no names"),
    pytest.param('"', [(1, "NO_QUESTION_COLUMN")], id="a quote"),
    pytest.param("", [(1, "NO_QUESTIONS")], id="nothing"),
    pytest.param("question,right\n", [(1, "NO_QUESTIONS")], id="only names"),
]


@pytest.mark.parametrize(("text", "problems"), TOLD)
def test_what_is_told(told, text, problems):
    assert told(text, "csv") == problems


def single(right, *options, kind="single"):
    return row(question="Q?", type=kind, **dict(zip("abcd", options, strict=False)), right=right)


def places(text, questions):
    (question,) = questions(text, "csv")
    return [n for n, option in enumerate(question["options"], 1) if option.get("right")]


@pytest.mark.parametrize(
    ("right", "options", "place"),
    [
        ("Wien", ["Graz", "Wien"], 2),
        ("wien", ["Graz", "Wien"], 2),
        ("X", ["x", "X"], 2),
        ("Rock \u2019n\u2019 Roll", ["Jazz", "Rock 'n' Roll"], 2),
        ("a, b", ["c", "a, b"], 2),
        ("New York", ["Paris", "New York"], 2),
        ("4", ["6", "4"], 2),  # no fourth option
        ("30", ["10", "20", "30"], 3),
        ("4", ["1", "2", "3", "4"], 4),
        ("b", ["a", "b"], 2),
        ("2)", ["x", "y"], 2),
        ("B.", ["x", "y"], 2),
        ("Option 2", ["x", "y"], 2),
        ("\uff22", ["x", "y"], 2),
        ("\u0662", ["x", "y"], 2),
        ("\u0410", ["x", "y"], 1),  # Cyrillic A
        ("\u0411", ["x", "y", "z"], 2),
        ("\u0433", ["x", "y", "z", "w"], 4),
        ("\u0421", ["x", "y", "z", "w"], 3),  # Cyrillic S, which looks like C
        ("\u0412", ["x", "y"], 2),  # no third option
        ("\u0412", ["x", "\u0412"], 2),
        ("\u0391", ["x", "y"], 1),  # Greek
    ],
)
def test_an_option_is_right_by_letter_number_or_text(questions, right, options, place):
    assert places(single(right, *options), questions) == [place]


@pytest.mark.parametrize(
    ("right", "options"),
    [
        ("4", ["6", "5", "4", "3"]),
        ("A", ["0", "A", "B", "AB"]),
        ("a", ["B", "A", "C", "D"]),
        ("C", ["x", "c", "z"]),
        ("\u0412", ["x", "y", "z"]),  # the third Cyrillic letter, which looks like B
        ("\u0415", ["x", "y"]),
        ("XX", ["xx", "Xx"]),
    ],
)
def test_a_cell_that_can_mean_several_options_is_a_problem(told, right, options):
    options = [*options, "u", "v", "w"][:4] if right == "\u0415" else options
    text = row(
        question="Q?",
        **{f"option{n}": option for n, option in enumerate(options, 1)},
        **({"option5": "s", "option6": "t"} if right == "\u0415" else {}),
        right=right,
    )
    assert told(text, "csv") == [(2, "ANSWER_AMBIGUOUS")]


def test_the_message_names_cells_that_are_not_ambiguous(questions):
    text = single("4", "6", "5", "4", "3")
    (found,) = read_questions(text, "csv").faults
    assert "option3, option4" in found.fault.message
    assert places(text.replace('"4"\n', '"option3"\n'), questions) == [3]


@pytest.mark.parametrize(
    ("right", "options", "rights"),
    [
        ("New York; paris", ["New York", "Rome", "Paris"], [1, 3]),
        ("A C", ["x", "y", "z"], [1, 3]),
        ("red,green", ["red", "green", "blue"], [1, 2]),
        ("A;blue", ["red", "green", "blue"], [1, 3]),
    ],
)
def test_several_options_are_right_by_letters_or_texts(questions, right, options, rights):
    assert places(single(right, *options, kind="multiple"), questions) == rights


@pytest.mark.parametrize(
    ("right", "code"),
    [
        ("A;C", "ANSWER_AMBIGUOUS"),
        ("A;v", "ANSWER_NOT_AN_OPTION"),
        (";".join("A" * 9), "ANSWER_NOT_AN_OPTION"),
    ],
)
def test_several_options_that_are_unclear_are_a_problem(told, right, code):
    assert told(single(right, "b", "a", "c", kind="multiple"), "csv") == [(2, code)]


@pytest.mark.parametrize(
    ("word", "truth"),
    [
        ("TRUE", True), ("WAHR", True), ("falsch", False),
        ("\u0418\u0421\u0422\u0418\u041d\u0410", True),
        ("\u041b\u041e\u0416\u042c", False), ("VRAI", True), ("FAUX", False), ("VERDADERO", True),
        ("FA\u0141SZ", False), ("DO\u011eRU", True), ("YANLI\u015e", False),
        ("V\u00c4\u00c4R", False),
    ],
)  # fmt: skip
def test_spreadsheets_write_truth_in_their_language(questions, word, truth):
    (question,) = questions(row(question="Q?", type="boolean", right=word), "csv")
    assert question["answer"] is truth


def with_number(separator, number):
    return f'question{separator}type{separator}right\nQ?{separator}number{separator}"{number}"\n'


@pytest.mark.parametrize(
    ("separator", "number", "value"),
    [
        (",", "1.234", 1.234), (",", "3,14", 3.14), (",", "0,125", 0.125), (";", "1,234", 1.234),
        (";", "3.14", 3.14), (",", "1,234.5", 1234.5), (";", "1.234,5", 1234.5),
        (",", "1,234,567", 1234567), (";", "1.234.567", 1234567), (";", "1\u00a0000", 1000),
        (";", "1\u2019000", 1000), (",", "\u22125", -5), (",", "1E+03", 1000), (",", "-0.5", -0.5),
    ],
)  # fmt: skip
def test_numbers_as_spreadsheets_write_them(questions, separator, number, value):
    (question,) = questions(with_number(separator, number), "csv")
    assert question["answer"] == value


@pytest.mark.parametrize(
    ("separator", "number"),
    [
        (",", "1,234"),
        (";", "1.234"),
        ("\t", "1.234"),
        ("\t", "1,234"),
        (",", "1,23,456"),
        (",", "50%"),
    ],
)
def test_a_number_that_can_be_read_in_two_ways_is_a_problem(told, separator, number):
    assert told(with_number(separator, number), "csv") == [(2, "ANSWER_UNREADABLE")]


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_a_line_names_the_separator(questions, told, line):
    assert questions(f"{line}\r\n{GOOD.replace(',', ';')}", "csv") == [JUPITER]
    assert questions(f"{line.replace(';', '|')}\n{GOOD.replace(',', '|')}", "csv") == [JUPITER]
    assert told(f"{line}\r\n", "csv") == [(1, "NO_QUESTIONS")]
    assert told(f"{line}\nquestion;right;type\nQ?;perhaps;boolean\n", "csv") == [
        (3, "ANSWER_UNREADABLE")
    ]


def test_rows_are_counted_by_the_line_where_they_begin(told):
    text = 'question,type,right\r\n"One\r\n\r\ntwo",boolean,true\r\n\nThree,boolean,perhaps\n'
    assert told(text, "csv") == [(6, "ANSWER_UNREADABLE")]
    assert told(text.replace("true", "perhaps"), "csv")[0] == (2, "ANSWER_UNREADABLE")


def test_a_row_may_be_forty_lines_long(told, questions):
    def long(lines):
        return f'question,type,right\n"Q{chr(10) * (lines - 1)}?",boolean,true\n'

    assert len(questions(long(40), "csv")) == 1
    assert told(long(41), "csv")[0] == (2, "BROKEN_QUOTES")


def test_reading_goes_on_behind_broken_quotes(told):
    text = GOOD + 'Q?,"a,b,1\n' + "".join(f"Q{n}?,a,b,3\n" for n in range(3))
    assert told(text, "csv") == [
        (3, "BROKEN_QUOTES"),
        (4, "ANSWER_NOT_AN_OPTION"),
        (5, "ANSWER_NOT_AN_OPTION"),
        (6, "ANSWER_NOT_AN_OPTION"),
    ]
