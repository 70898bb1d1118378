"""Of questions as people wrote them each is read, or what keeps it out is told."""

from collections import Counter

import pytest

from mymozhem_quiz.importing import check_question, import_questions, read_questions

FILES = {
    "brain-teasers": {"TEXT_TOO_LONG": 9, "DUPLICATE_QUESTION": 5},
    "geography": {"DUPLICATE_OPTION": 2},
    "science-technology": {"TEXT_TOO_LONG": 6, "DUPLICATE_OPTION": 2, "BAD_ENCODING": 1},
}
GOOD = {"brain-teasers": 193, "geography": 840, "science-technology": 2481}

# Each looked up in the file: what stands on that line, and why it cannot be used.
PLACES = [
    ("brain-teasers", 1115, "TEXT_TOO_LONG", "Diophantus, 605 characters on three lines"),
    ("brain-teasers", 1124, "TEXT_TOO_LONG", "three goddesses, 505 characters, an empty line"),
    ("brain-teasers", 1195, "TEXT_TOO_LONG", "soaking wet, 616 characters on one line"),
    ("brain-teasers", 1297, "DUPLICATE_QUESTION", "seven children, on line 1175 before"),
    ("brain-teasers", 1303, "DUPLICATE_QUESTION", "W-L-C-N-I-T, with other letters on line 324"),
    ("geography", 2014, "DUPLICATE_OPTION", "The Lonely Sea, B and D"),
    ("geography", 4379, "DUPLICATE_OPTION", "Off the Southeast Coast of South America, A and B"),
    ("science-technology", 2313, "BAD_ENCODING", "half of a Greek letter"),
    ("science-technology", 2981, "TEXT_TOO_LONG", "four specialists, A of 206 characters"),
    ("science-technology", 9257, "TEXT_TOO_LONG", "high blood pressure, D"),
    ("science-technology", 7927, "DUPLICATE_OPTION", "cell donor and mother, B and C"),
    ("science-technology", 12073, "DUPLICATE_OPTION", "14.8 years, C and D"),
]


@pytest.fixture
def text(trivia):
    return lambda name: (trivia / f"{name}.txt").read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("name", FILES)
def test_problems_by_code(text, name):
    collected = read_questions(text(name), "opentrivia")
    assert Counter(each.fault.code for each in collected.faults) == FILES[name]
    assert len(collected.kept) == GOOD[name]


@pytest.mark.parametrize(("name", "line", "code", "why"), PLACES)
def test_places(text, name, line, code, why):
    faults = read_questions(text(name), "opentrivia").faults
    assert (line, code) in [(each.line, each.fault.code) for each in faults], why


@pytest.mark.parametrize("name", FILES)
def test_every_block_is_a_question_or_has_a_problem(text, name):
    lines = text(name).split("\n")
    begins = [number for number, line in enumerate(lines, start=1) if line.startswith("#Q")]
    blocks = zip(begins, [*begins[1:], len(lines) + 1], strict=True)
    collected = read_questions(text(name), "opentrivia")
    good = {each.line for each in collected.kept}
    wrong = {each.line for each in collected.faults}
    for begin, end in blocks:
        assert (begin in good) != any(line in wrong for line in range(begin, end)), begin
    assert len(good) == len(collected.kept)


@pytest.mark.parametrize("name", FILES)
def test_every_question_can_be_played(text, name):
    for each in read_questions(text(name), "opentrivia").kept:
        assert check_question(each.question) == ()


# The 501st good question: line 3442 has the 502nd of that file, after one with DUPLICATE_OPTION;
# line 3368 the 503rd of the other, after two that cannot be used.
@pytest.mark.parametrize(
    ("name", "line"), [("brain-teasers", None), ("geography", 3442), ("science-technology", 3368)]
)
def test_five_hundred_are_imported(text, name, line):
    result = import_questions(text(name), "opentrivia")
    assert len(result.value) == min(GOOD[name], 500)
    told = Counter(problem.code for problem in result.problems)
    assert told == Counter(FILES[name]) + Counter({"TOO_MANY": 1} if line else {})
    assert [each.line for each in result.problems if each.code == "TOO_MANY"] == [line] * bool(line)


def test_a_question_over_many_lines(text):
    collected = read_questions(text("brain-teasers"), "opentrivia")
    (delegates,) = (each.question for each in collected.kept if each.line == 408)
    lines = delegates["text"].split("\n")
    assert [line.split()[0] for line in lines] == ["A", "Each", "America", "Asia", "Which"]
    assert [option.get("right", False) for option in delegates["options"]] == [0, 0, 1, 0]


def test_true_and_false_become_boolean(text):
    collected = read_questions(text("science-technology"), "opentrivia")
    (narwhale,) = (each.question for each in collected.kept if each.line == 9087)
    assert (narwhale["type"], narwhale["answer"]) == ("boolean", True)
    assert Counter(each.question["type"] for each in collected.kept)["boolean"] == 338
