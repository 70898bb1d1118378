"""A question obeys every rule of the shape, or each broken one is named with its place."""

import jsonschema
import pytest

from mymozhem.contract import fold_text
from mymozhem_quiz import app_manifest
from mymozhem_quiz.importing import FORMATS, check_question

LIMIT = 2**53 - 1


def single(*, options=None, **more):
    options = options or [{"text": "a", "right": True}, {"text": "b"}]
    return {"id": "q1", "type": "single", "text": "Q?", "options": options, **more}


def made(kind, **more):
    return {"id": "q1", "type": kind, "text": "Q?", **more}


def many(count, **first):
    return [{"text": f"{n}", **(first if not n else {})} for n in range(count)]


GOOD = [
    single(),
    single(options=many(6, right=True)),
    single(options=[{"text": "x" * 200, "right": True}, {"text": "b", "right": False}]),
    single(options=[{"text": "mm", "right": True}, {"text": "Mm"}]),
    single(text="x" * 500, id="A_-z09" + "x" * 26),
    single(text="two\nlines,\ta tab"),
    single(timeLimit=5, points=1),
    single(timeLimit=600, points=10_000),
    single(timeLimit=30.0),
    single(picture={"url": "https://example.org/a.png?b=c#d", "alt": "A"}),
    made("multiple", options=many(2, right=True)),
    made("multiple", options=[{"text": "a", "right": True}, {"text": "b", "right": True}]),
    made("order", options=many(8)),
    made("boolean", answer=False),
    made("number", answer=0),
    made("number", answer=-1.5, tolerance=0),
    made("number", answer=LIMIT, tolerance=0.5),
    made("text", accepted=["x" * 200] * 20),
]


@pytest.mark.parametrize("question", GOOD)
def test_good(question):
    assert check_question(question) == ()
    schema = app_manifest()["settings"]["properties"]["rounds"]
    one = {"id": "r1", "title": "Round 1", "questions": [question]}
    jsonschema.Draft202012Validator(schema).validate([one])


def test_every_format_of_the_manifest_can_be_read():
    assert app_manifest()["imports"]["rounds"] == list(FORMATS)


BAD = [
    (None, [("", "NOT_A_QUESTION")]),
    ([], [("", "NOT_A_QUESTION")]),
    ({}, [("/id", "NO_ID"), ("/type", "BAD_TYPE"), ("/text", "EMPTY_QUESTION")]),
    (single(id=""), [("/id", "BAD_ID")]),
    (single(id="x" * 33), [("/id", "BAD_ID")]),
    (single(id="q1\n"), [("/id", "BAD_ID")]),
    (single(id="\u0661"), [("/id", "BAD_ID")]),
    (single(id=[[]]), [("/id", "BAD_ID")]),
    (made(5), [("/type", "BAD_TYPE")]),
    (made("Single"), [("/type", "BAD_TYPE")]),
    (single(text=" \n"), [("/text", "EMPTY_QUESTION")]),
    (single(text="x" * 501), [("/text", "TEXT_TOO_LONG")]),
    (single(text=5), [("/text", "NOT_TEXT")]),
    (single(text="\ufffd"), [("/text", "BAD_ENCODING")]),
    (single(text="a\x00"), [("/text", "CONTROL_CHARACTER")]),
    (single(text="a\x85"), [("/text", "CONTROL_CHARACTER")]),
    (single(text="a\udfff"), [("/text", "CONTROL_CHARACTER")]),
    (single(timelimit=5), [("/timelimit", "UNKNOWN_FIELD")]),
    (single(**{"a/b~": 5}), [("/a~1b~0", "UNKNOWN_FIELD")]),
    (single(answer=True), [("/answer", "FIELD_NOT_FOR_TYPE")]),
    (single(tolerance=1), [("/tolerance", "FIELD_NOT_FOR_TYPE")]),
    (made("number", answer=1, options=[]), [("/options", "FIELD_NOT_FOR_TYPE")]),
    (made("single"), [("/options", "TOO_FEW_OPTIONS")]),
    (single(options=5), [("/options", "NOT_LIST")]),
    (single(options=many(1, right=True)), [("/options", "TOO_FEW_OPTIONS")]),
    (single(options=many(7, right=True)), [("/options/6", "TOO_MANY_OPTIONS")]),
    (single(options=many(2)), [("/options", "NO_ANSWER")]),
    (made("multiple", options=many(2)), [("/options", "NO_ANSWER")]),
    (
        single(options=[{"text": "a", "right": True}, {"text": "b", "right": True}]),
        [("/options/1/right", "SEVERAL_ANSWERS")],
    ),
    (single(options=[*many(2, right=True), "c"]), [("/options/2", "NOT_OBJECT")]),
    (single(options=[*many(2, right=True), {}]), [("/options/2/text", "EMPTY_OPTION")]),
    (
        single(options=[*many(2, right=True), {"text": " 1  "}]),
        [("/options/2/text", "DUPLICATE_OPTION")],
    ),
    (
        single(options=[*many(2, right=True), {"text": "x" * 201}]),
        [("/options/2/text", "TEXT_TOO_LONG")],
    ),
    (
        single(options=[*many(2, right=True), {"text": "x", "id": 1}]),
        [("/options/2/id", "UNKNOWN_FIELD")],
    ),
    (
        single(options=[*many(2, right=True), {"text": "x", "right": 1}]),
        [("/options/2/right", "NOT_BOOLEAN")],
    ),
    (made("order", options=many(9)), [("/options/8", "TOO_MANY_OPTIONS")]),
    (made("order", options=many(2, right=False)), [("/options/0/right", "FIELD_NOT_FOR_TYPE")]),
    (made("boolean"), [("/answer", "NO_ANSWER")]),
    (made("boolean", answer=1), [("/answer", "NOT_BOOLEAN")]),
    (made("number"), [("/answer", "NO_ANSWER")]),
    (made("number", answer=True), [("/answer", "NOT_NUMBER")]),
    (made("number", answer="1"), [("/answer", "NOT_NUMBER")]),
    (made("number", answer=LIMIT + 1), [("/answer", "OUT_OF_RANGE")]),
    (made("number", answer=float("nan")), [("/answer", "OUT_OF_RANGE")]),
    (made("number", answer=float("-inf")), [("/answer", "OUT_OF_RANGE")]),
    (made("number", answer=1, tolerance=-0.1), [("/tolerance", "OUT_OF_RANGE")]),
    (made("number", answer=1, tolerance=None), [("/tolerance", "NOT_NUMBER")]),
    (made("text"), [("/accepted", "NO_ANSWER")]),
    (made("text", accepted="a"), [("/accepted", "NOT_LIST")]),
    (made("text", accepted=["a"] * 21), [("/accepted/20", "TOO_MANY_ACCEPTED")]),
    (made("text", accepted=["a", ""]), [("/accepted/1", "EMPTY_TEXT")]),
    (made("text", accepted=["a", 1]), [("/accepted/1", "NOT_TEXT")]),
    (made("text", accepted=["x" * 201]), [("/accepted/0", "TEXT_TOO_LONG")]),
    (single(timeLimit=4), [("/timeLimit", "OUT_OF_RANGE")]),
    (single(timeLimit=601), [("/timeLimit", "OUT_OF_RANGE")]),
    (single(timeLimit=True), [("/timeLimit", "NOT_NUMBER")]),
    (single(timeLimit=5.5), [("/timeLimit", "NOT_WHOLE")]),
    (single(points=0), [("/points", "OUT_OF_RANGE")]),
    (single(points=10_001), [("/points", "OUT_OF_RANGE")]),
    (single(picture="https://x.org"), [("/picture", "NOT_OBJECT")]),
    (single(picture={}), [("/picture/url", "BAD_PICTURE"), ("/picture/alt", "NO_ALT")]),
    (single(picture={"url": "http://x.org", "alt": "A"}), [("/picture/url", "BAD_PICTURE")]),
    (single(picture={"url": "https://", "alt": "A"}), [("/picture/url", "BAD_PICTURE")]),
    (single(picture={"url": "https://x.org/a b", "alt": "A"}), [("/picture/url", "BAD_PICTURE")]),
    (
        single(picture={"url": "https://x.org/" + "a" * 2000, "alt": "A"}),
        [("/picture/url", "BAD_PICTURE")],
    ),
    (single(picture={"url": "https://x.org", "alt": " "}), [("/picture/alt", "NO_ALT")]),
    (
        single(picture={"url": "https://x.org", "alt": "A", "by": "B"}),
        [("/picture/by", "UNKNOWN_FIELD")],
    ),
]


@pytest.mark.parametrize(("question", "faults"), BAD)
def test_bad(question, faults):
    found = check_question(question)
    assert [(each.pointer, each.code) for each in found] == faults
    assert all(each.message for each in found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Stra\u00dfe", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("H\u2082O", "h2o"),
        ("a  b\n", " a b"),
        ("\u017f", "S"),
    ],
)
def test_folding_forgives(one, other):
    assert fold_text(one) == fold_text(other)


def test_folding_tells_apart():
    assert fold_text("caf\u00e9") != fold_text("cafe")
