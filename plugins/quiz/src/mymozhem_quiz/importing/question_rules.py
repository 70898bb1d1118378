"""The rules of a question, for every importer and for the validation of settings.

    { "id": "q1", "type": "single" | "multiple" | "boolean" | "number" | "text" | "order",
      "text": 1 to 500 characters,
      "options": [{"text": 1 to 200 characters, "right": true, "picture": like the question's}]
                 single and multiple 2 to 6, order 2 to 8 in the right order without "right",
      "answer": true, false or a number, "tolerance": from 0 (number only),
      "accepted": 1 to 20 texts of 1 to 200 characters (text only),
      "timeLimit": 5 to 600, "points": 1 to 10000,
      "picture": {"url": "https://…", "alt": 1 to 200 characters} }

A round of questions:

    { "id": "r1", "title": 1 to 100 characters, "questions": […],
      "points": 1 to 10000, "timePerQuestion": 5 to 600 }

In rooms of the first version options have no pictures: `pictures` says whether they may.
Everything here is pure and linear in the size of the question.
"""

import re
from collections.abc import Iterator

from pydantic import JsonValue

from mymozhem.contract import JsonObject

from .lines import one_line
from .problems import Fault, fault
from .values import MAX_NUMBER, check_number, check_text, check_whole

MAX_QUESTIONS = 500
MAX_ROUNDS = 50
MAX_QUESTION = 500
MAX_SHORT = 200
MAX_TITLE = 100
MAX_ACCEPTED = 20
MAX_URL = 2000
SECONDS = (5, 600)
POINTS = (1, 10_000)
ID = re.compile(r"[A-Za-z0-9_-]{1,32}")

#: how many options a type has
OPTIONS = {"single": (2, 6), "multiple": (2, 6), "order": (2, 8)}

#: the fields that only some types have
FIELDS = {
    "single": ("options",),
    "multiple": ("options",),
    "boolean": ("answer",),
    "number": ("answer", "tolerance"),
    "text": ("accepted",),
    "order": ("options",),
}
_SPECIAL = frozenset(name for names in FIELDS.values() for name in names)
_COMMON = frozenset({"id", "type", "text", "timeLimit", "points", "picture"})
_ROUND = frozenset({"id", "title", "questions", "points", "timePerQuestion"})
_URL = re.compile(r"https://[^\s/?#\\]+[^\s\\]*")


def check_question(question: JsonValue, *, pictures: bool = True) -> tuple[Fault, ...]:
    """Return everything that is wrong with a question; if nothing, a room can play it."""
    if not isinstance(question, dict):
        return (fault("NOT_A_QUESTION"),)
    return (*check_id(question), *check_content(question, pictures=pictures))


def check_round(part: JsonObject) -> Iterator[Fault]:
    """Yield what is wrong with a round, apart from its id and its questions."""
    for name in part:
        if name not in _ROUND:
            yield fault("UNKNOWN_ROUND_FIELD", _below("", name), field=name)
    if "title" in part:
        yield from check_text(part["title"], "/title", "title", limit=MAX_TITLE, empty="NO_TITLE")
    for name, span in (("points", POINTS), ("timePerQuestion", SECONDS)):
        if name in part:
            yield from check_whole(part[name], f"/{name}", name, span=span)


def check_id(question: JsonObject) -> Iterator[Fault]:
    """Yield what is wrong with the id."""
    if "id" not in question:
        yield fault("NO_ID", "/id")
    elif not valid_id(question["id"]):
        yield fault("BAD_ID", "/id", id=question["id"])


def valid_id(value: JsonValue) -> bool:
    """Return whether a value can be an id; the value may have any type."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def check_content(question: JsonValue, *, pictures: bool = True) -> tuple[Fault, ...]:
    """Return everything that is wrong, apart from the id, which an importer can still set."""
    if not isinstance(question, dict):
        return (fault("NOT_A_QUESTION"),)
    return tuple(_content(question, pictures=pictures))


def _content(question: JsonObject, *, pictures: bool) -> Iterator[Fault]:
    kind = question.get("type")
    known = kind if isinstance(kind, str) and kind in FIELDS else None
    if known is None:
        found = kind if isinstance(kind, str) else ""
        yield fault("BAD_TYPE", "/type", found=found)
    yield from check_text(
        question.get("text", ""), "/text", "text", limit=MAX_QUESTION, empty="EMPTY_QUESTION"
    )
    yield from _fields(question, known)
    if known is not None:
        yield from _answers(question, known, pictures=pictures)
    yield from _numbers(question)
    if "picture" in question:
        yield from _picture(question["picture"], "/picture")


def _fields(question: JsonObject, kind: str | None) -> Iterator[Fault]:
    for name in question:
        if name not in _COMMON and name not in _SPECIAL:
            yield fault("UNKNOWN_FIELD", _below("", name), field=name)
        elif kind is not None and name in _SPECIAL and name not in FIELDS[kind]:
            yield fault("FIELD_NOT_FOR_TYPE", f"/{name}", field=name, type=kind)


def _answers(question: JsonObject, kind: str, *, pictures: bool) -> Iterator[Fault]:
    if kind in OPTIONS:
        yield from _options(question.get("options", []), kind, pictures=pictures)
    elif kind == "text":
        yield from _accepted(question.get("accepted", []))
    elif "answer" not in question:
        yield fault("NO_ANSWER", "/answer")
    elif kind == "number":
        span = (-MAX_NUMBER, MAX_NUMBER)
        yield from check_number(question["answer"], "/answer", "answer", span=span)
    elif not isinstance(question["answer"], bool):
        yield fault("NOT_BOOLEAN", "/answer", field="answer")


def _options(options: JsonValue, kind: str, *, pictures: bool) -> Iterator[Fault]:
    if not isinstance(options, list):
        yield fault("NOT_LIST", "/options", field="options")
        return
    least, most = OPTIONS[kind]
    if len(options) < least:
        yield fault("TOO_FEW_OPTIONS", "/options", found=len(options), least=least)
    if len(options) > most:
        yield fault("TOO_MANY_OPTIONS", f"/options/{most}", found=len(options), most=most)
    seen: set[str] = set()
    known = ("text", "right", "picture") if pictures else ("text", "right")
    for index, option in enumerate(options[: most + 1]):
        yield from _option(option, f"/options/{index}", kind, seen, known)
    if kind != "order":
        yield from _right(options, kind)


def _option(
    option: JsonValue, pointer: str, kind: str, seen: set[str], known: tuple[str, ...]
) -> Iterator[Fault]:
    if not isinstance(option, dict):
        yield fault("NOT_OBJECT", pointer, field="option")
        return
    for name in option:
        if name not in known:
            yield fault("UNKNOWN_FIELD", _below(pointer, name), field=name)
    if kind == "order" and "right" in option:
        yield fault("FIELD_NOT_FOR_TYPE", f"{pointer}/right", field="right", type=kind)
    elif not isinstance(option.get("right", False), bool):
        yield fault("NOT_BOOLEAN", f"{pointer}/right", field="right")
    text = option.get("text", "")
    yield from check_text(text, f"{pointer}/text", "option", limit=MAX_SHORT, empty="EMPTY_OPTION")
    if isinstance(text, str) and text.strip():
        # Not folded: mm and Mm, CO and Co are different answers.
        if one_line(text) in seen:
            yield fault("DUPLICATE_OPTION", f"{pointer}/text", option=text)
        seen.add(one_line(text))
    if "picture" in known and "picture" in option:
        yield from _picture(option["picture"], f"{pointer}/picture")


def _right(options: list[JsonValue], kind: str) -> Iterator[Fault]:
    right = [
        index
        for index, option in enumerate(options)
        if isinstance(option, dict) and option.get("right") is True
    ]
    if options and not right:
        yield fault("NO_ANSWER", "/options")
    if kind == "single" and len(right) > 1:
        yield fault("SEVERAL_ANSWERS", f"/options/{right[1]}/right")


def _accepted(accepted: JsonValue) -> Iterator[Fault]:
    if not isinstance(accepted, list):
        yield fault("NOT_LIST", "/accepted", field="accepted")
        return
    if not accepted:
        yield fault("NO_ANSWER", "/accepted")
    if len(accepted) > MAX_ACCEPTED:
        pointer = f"/accepted/{MAX_ACCEPTED}"
        yield fault("TOO_MANY_ACCEPTED", pointer, found=len(accepted), most=MAX_ACCEPTED)
    for index, text in enumerate(accepted[: MAX_ACCEPTED + 1]):
        yield from check_text(text, f"/accepted/{index}", "accepted", limit=MAX_SHORT)


def _numbers(question: JsonObject) -> Iterator[Fault]:
    if "tolerance" in question:
        span = (0, MAX_NUMBER)
        yield from check_number(question["tolerance"], "/tolerance", "tolerance", span=span)
    if "timeLimit" in question:
        yield from check_whole(question["timeLimit"], "/timeLimit", "timeLimit", span=SECONDS)
    if "points" in question:
        yield from check_whole(question["points"], "/points", "points", span=POINTS)


def _picture(picture: JsonValue, pointer: str) -> Iterator[Fault]:
    if not isinstance(picture, dict):
        yield fault("NOT_OBJECT", pointer, field="picture")
        return
    for name in picture:
        if name not in ("url", "alt"):
            yield fault("UNKNOWN_FIELD", _below(pointer, name), field=name)
    url = picture.get("url")
    if not isinstance(url, str) or len(url) > MAX_URL or not _URL.fullmatch(url):
        yield fault("BAD_PICTURE", f"{pointer}/url")
    else:
        yield from check_text(url, f"{pointer}/url", "url", limit=MAX_URL)
    alt = picture.get("alt", "")
    yield from check_text(alt, f"{pointer}/alt", "alt", limit=MAX_SHORT, empty="NO_ALT")


def _below(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
