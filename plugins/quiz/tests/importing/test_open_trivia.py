"""Blocks of OpenTriviaQA become questions; what cannot is told where it is mended."""

import pytest

GOOD = "#Q Largest planet?\n^ Jupiter\nA Mars\nB Jupiter\nC Venus\n"
JUPITER = {
    "type": "single",
    "text": "Largest planet?",
    "options": [{"text": "Mars"}, {"text": "Jupiter", "right": True}, {"text": "Venus"}],
}


def options(*texts, right):
    return [{"text": one, "right": True} if one == right else {"text": one} for one in texts]


SAME = [
    pytest.param(GOOD, id="as it should be"),
    pytest.param(GOOD.replace("\n", "\r\n"), id="lines of Windows"),
    pytest.param(GOOD.replace("\n", "\r"), id="lines of old Macs"),
    pytest.param(GOOD.replace("\n", "\r\n", 2), id="mixed lines"),
    pytest.param("\ufeff" + GOOD, id="byte order mark"),
    pytest.param("\n\n" + GOOD + "\n\n\n", id="empty lines around"),
    pytest.param(GOOD.rstrip(), id="no last line end"),
    pytest.param(GOOD.replace("^ Jupiter", "^  JUPITER  "), id="answer in other case"),
    pytest.param(GOOD.replace("^ J", "^ \uff2a"), id="answer with a wide letter"),
    pytest.param(GOOD.replace("^", "\n^"), id="empty line before the answer"),
    pytest.param(GOOD.replace("A", "\nA"), id="empty line before the options"),
    pytest.param(GOOD.replace("C", "\n\nC"), id="empty lines between options"),
    pytest.param(GOOD.replace(" ", "\t "), id="tabs"),
    pytest.param(GOOD.replace("\n", "\n  "), id="indented"),
    pytest.param(GOOD.replace("#Q ", "#q"), id="small q without a space"),
    pytest.param(GOOD.replace("Largest planet", "Largest\x85planet"), id="next-line character"),
]


@pytest.mark.parametrize("text", SAME)
def test_spaces_and_line_ends_do_not_count(questions, text):
    assert questions(text, "opentrivia") == [JUPITER]


READ = [
    pytest.param(
        "#Q True?\n^ false\nA True\nB False\n",
        {"type": "boolean", "text": "True?", "answer": False},
        id="true and false",
    ),
    pytest.param(
        "#Q True?\n^ TRUE\nA false\nB true\n",
        {"type": "boolean", "text": "True?", "answer": True},
        id="false and true",
    ),
    pytest.param(
        "#Q Is it?\n^ No\nA Yes\nB No\n",
        {"type": "single", "text": "Is it?", "options": options("Yes", "No", right="No")},
        id="yes and no",
    ),
    pytest.param(
        "#Q Which?\n^ Maybe\nA True\nB False\nC Maybe\n",
        {
            "type": "single",
            "text": "Which?",
            "options": options("True", "False", "Maybe", right="Maybe"),
        },
        id="true, false and more",
    ),
    pytest.param(
        "#Q A riddle:\n\nA thing that runs\nB all day.\n^ river\nA river\nB horse\n",
        {
            "type": "single",
            "text": "A riddle:\nA thing that runs\nB all day.",
            "options": options("river", "horse", right="river"),
        },
        id="question over many lines",
    ),
    pytest.param(
        "#Q What?\n^ one\nand two\nA one\nand two\nB three\n",
        {
            "type": "single",
            "text": "What?",
            "options": options("one and two", "three", right="one and two"),
        },
        id="answer and option over two lines",
    ),
    pytest.param(
        "#Q Unit?\n^ Mm\nA mm\nB Mm\n",
        {"type": "single", "text": "Unit?", "options": options("mm", "Mm", right="Mm")},
        id="options that differ in case",
    ),
    pytest.param(
        "#Q Six?\n^ 6\nA 1\nB 2\nC 3\nD 4\nE 5\nF 6\n",
        {"type": "single", "text": "Six?", "options": options(*"123456", right="6")},
        id="six options",
    ),
]


@pytest.mark.parametrize(("text", "question"), READ)
def test_what_is_read(questions, text, question):
    assert questions(text, "opentrivia") == [question]


TOLD = [
    pytest.param("#Q Q?\nA a\nB b\n", [(1, "NO_ANSWER")], id="no answer"),
    pytest.param("#Q Q?\n^\nA a\nB b\n", [(2, "NO_ANSWER")], id="empty answer"),
    pytest.param("#Q Q?\n^ c\nA a\nB b\n", [(2, "ANSWER_NOT_AN_OPTION")], id="other answer"),
    pytest.param("#Q Q?\n^ MM\nA mm\nB Mm\n", [(2, "ANSWER_UNCLEAR")], id="unclear answer"),
    pytest.param("#Q Q?\n^ a\n^ b\nA a\nB b\n", [(3, "SEVERAL_ANSWERS")], id="two answers"),
    pytest.param("#Q Q?\n^ a\nA a\nB a\n", [(4, "DUPLICATE_OPTION")], id="same option twice"),
    pytest.param("#Q Q?\n^ a\nA a\n", [(1, "TOO_FEW_OPTIONS")], id="one option"),
    pytest.param("#Q Q?\n^ a\n", [(1, "TOO_FEW_OPTIONS")], id="no option"),
    pytest.param("#Q Q?\n^ a\nA a\nB\n", [(4, "EMPTY_OPTION")], id="empty option"),
    pytest.param(
        "#Q Q?\n^ 1\n" + "".join(f"{letter} {letter}1\n" for letter in "ABCDEFG"),
        [(2, "ANSWER_NOT_AN_OPTION"), (9, "TOO_MANY_OPTIONS")],
        id="seven options",
    ),
    pytest.param("#Q Q?\n^ a\nA a\nC c\nD d\n", [(4, "OPTION_OUT_OF_ORDER")], id="no option B"),
    pytest.param("#Q Q?\n^ a\nA a\nA c\nB d\n", [(4, "OPTION_OUT_OF_ORDER")], id="A twice"),
    pytest.param("#Q\n^ a\nA a\nB b\n", [(1, "EMPTY_QUESTION")], id="no question"),
    pytest.param(f"#Q {'x' * 501}\n^ a\nA a\nB b\n", [(1, "TEXT_TOO_LONG")], id="long question"),
    pytest.param(f"#Q Q?\n^ a\nA a\nB {'x' * 201}\n", [(4, "TEXT_TOO_LONG")], id="long option"),
    pytest.param("#Q Q?\nw\ufffdy\n^ a\nA a\nB b\n", [(2, "BAD_ENCODING")], id="lost character"),
    pytest.param(
        "#Q \ufffd\n^ a\nA a\nB \ufffd\n", [(1, "BAD_ENCODING"), (4, "BAD_ENCODING")], id="two lost"
    ),
    pytest.param("#Q Q?\n^ a\nA a\nB \x07b\n", [(4, "CONTROL_CHARACTER")], id="a bell"),
    pytest.param("#Q Q?\n^ a\nA a\nB \ud800\n", [(4, "CONTROL_CHARACTER")], id="half a character"),
    pytest.param("\nTitle\nof it\n" + GOOD, [(2, "STRAY_LINE")], id="lines before"),
    pytest.param(GOOD + "\nEnd\nA end\n", [(7, "STRAY_LINE")], id="lines after, told once"),
    pytest.param(GOOD + "\n^ end\n", [(7, "STRAY_LINE")], id="an answer without a question"),
    pytest.param(GOOD + "\n" + GOOD, [(7, "DUPLICATE_QUESTION")], id="same question"),
    pytest.param("no question\n", [(1, "STRAY_LINE")], id="another text"),
    pytest.param("", [(1, "NO_QUESTIONS")], id="nothing"),
    pytest.param(
        "#Q\n#Q b\n^ x\nA y\nB y\n",
        [
            (1, "NO_ANSWER"),
            (1, "EMPTY_QUESTION"),
            (1, "TOO_FEW_OPTIONS"),
            (3, "ANSWER_NOT_AN_OPTION"),
            (5, "DUPLICATE_OPTION"),
        ],
        id="all at once",
    ),
]


@pytest.mark.parametrize(("text", "problems"), TOLD)
def test_what_is_told(told, text, problems):
    assert told(text, "opentrivia") == problems


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_editors(told, end):
    text = f"#Q a\x85b\u2028c\x0c{end}^ x{end}A x{end}B x{end}"
    assert told(text, "opentrivia") == [(4, "DUPLICATE_OPTION")]


def test_one_bad_block_spoils_no_other(questions, told):
    assert told(f"{GOOD}#Q Q?\n{GOOD.replace('Largest', 'Big')}", "opentrivia") == [
        (6, "NO_ANSWER"),
        (6, "TOO_FEW_OPTIONS"),
    ]
    assert len(questions(GOOD + GOOD.replace("Largest", "Big"), "opentrivia")) == 2


def test_the_same_question_with_other_options_is_another(questions):
    assert len(questions(GOOD + GOOD.replace("Venus", "Earth"), "opentrivia")) == 2
