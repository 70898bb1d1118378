"""Convert one row of a table of questions, by the names of its columns, to a question."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from mymozhem.contract import JsonObject

from .lines import lines_of, one_line, paragraph
from .problems import Fault, fault

_LETTERS = "abcdefgh"
_OPTIONS = tuple(f"option{number}" for number in range(1, 9))
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 40
_TRUTH = {"true": True, "false": False}
_BETWEEN_CHOICES = re.compile(r"[;,|\s]+")
_BETWEEN_TEXTS = re.compile(r"[;|]")

Cells = Mapping[str, str]


def question_of(cells: Cells) -> tuple[JsonObject, list[Fault]]:
    """Return the question in these cells, not checked yet, and what could not be read.

    Empty cells are not among them. Values that do not fit the question's type are kept, so that the
    check reports them.
    """
    kind = cells.get("type", "single").casefold()
    faults: list[Fault] = []
    question: JsonObject = {"type": kind, "text": paragraph(lines_of(cells.get("question", "")))}
    if "id" in cells:
        question["id"] = cells["id"]
    right = _put_answer(question, kind, cells.get("right", ""), faults)
    options = _options(cells, right, faults)
    if options:
        question["options"] = options
    for column, name in (("tolerance", "tolerance"), ("time", "timeLimit"), ("points", "points")):
        if column in cells:
            _put_number(question, name, column, cells[column], faults)
    question |= _picture(cells, "")
    return question, faults


def number_of(text: str) -> float | int | None:
    """Return the number in a text, also with a decimal comma, or None if it is not a number."""
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    value = float(text.replace(",", "."))
    return int(value) if value.is_integer() else value


def _put_answer(question: JsonObject, kind: str, right: str, faults: list[Fault]) -> list[str]:
    """Put the answer into the question, or return which options are marked right."""
    if kind in ("single", "multiple"):
        return [choice for choice in _BETWEEN_CHOICES.split(right.casefold()) if choice]
    if kind == "text":
        texts: list[JsonValue] = [one_line(text) for text in _BETWEEN_TEXTS.split(right)]
        question["accepted"] = [text for text in texts if text]
    elif kind == "order" and right:
        faults.append(fault("FIELD_NOT_FOR_TYPE", field="right", type=kind))
    elif kind == "boolean" and right:
        _put(question, right, _TRUTH.get(right.casefold()), "true, false", faults)
    elif kind == "number" and right:
        _put(question, right, number_of(right), "42, 3.14", faults)
    return []


def _put(
    question: JsonObject, text: str, value: JsonValue, example: str, faults: list[Fault]
) -> None:
    if value is None:
        faults.append(fault("ANSWER_UNREADABLE", found=text, example=example))
    else:
        question["answer"] = value


def _put_number(
    question: JsonObject, name: str, column: str, text: str, faults: list[Fault]
) -> None:
    value = number_of(text)
    if value is None:
        faults.append(fault("BAD_NUMBER", found=text, column=column))
    else:
        question[name] = value


def _options(cells: Cells, right: list[str], faults: list[Fault]) -> list[JsonValue]:
    chosen = {_column(choice) for choice in right}
    for choice in right:
        if _column(choice) not in cells:
            faults.append(fault("ANSWER_NOT_AN_OPTION", answer=choice))
            break
    options: list[JsonValue] = []
    for number, column in enumerate(_OPTIONS, start=1):
        picture = _picture(cells, str(number))
        if column in cells or picture:
            option: JsonObject = {"text": one_line(cells.get(column, "")), **picture}
            options.append({**option, "right": True} if column in chosen else option)
    return options


def _picture(cells: Cells, number: str) -> JsonObject:
    """Return the picture of the question, or of an option by its number; empty without one."""
    url, alt = f"picture{number}", f"alt{number}"
    if url not in cells and alt not in cells:
        return {}
    return {"picture": {"url": cells.get(url, ""), "alt": one_line(cells.get(alt, ""))}}


def _column(choice: str) -> str:
    """Return the column that a letter or number names."""
    if len(choice) == 1 and choice in _LETTERS:
        return _OPTIONS[_LETTERS.index(choice)]
    return f"option{choice}"
