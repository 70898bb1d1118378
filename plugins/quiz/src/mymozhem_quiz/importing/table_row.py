"""Convert one row of a table of questions, by the names of its columns, to a question."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from pydantic import JsonValue

from mymozhem.contract import JsonObject, fold_text

from .lines import lines_of, one_line, paragraph
from .problems import Fault, fault
from .right_options import Ambiguous, NoSuchOption, right_options

_OPTIONS = tuple(f"option{number}" for number in range(1, 9))
#: digits, perhaps in groups, and a decimal part; in the last two, the separators are unmistakable
_NUMBERS = tuple(
    re.compile(f"(?P<whole>[+-]?{whole})(?:{rest})(?P<exponent>(?:e[+-]?[0-9]+)?)")
    for whole, rest in (
        ("(?:[0-9]+|[0-9]{1,3}(?:[ '][0-9]{3})+)", "(?P<point>[.,])(?P<rest>[0-9]+)|"),
        ("[0-9]{1,3}(?:,[0-9]{3})+", "(?P<point>[.])(?P<rest>[0-9]+)|(?<=,...,...)"),
        ("[0-9]{1,3}(?:[.][0-9]{3})+", "(?P<point>,)(?P<rest>[0-9]+)|(?<=[.]...[.]...)"),
    )
)
#: what may be a group of digits, and not a decimal part
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_LONGEST_NUMBER = 40

#: what spreadsheets of many languages write for TRUE and FALSE
_TRUE = (
    "true wahr vrai verdadero vero verdadeiro waar prawda \u0438\u0441\u0442\u0438\u043d\u0430"
    " \u0456\u0441\u0442\u0438\u043d\u0430 pravda igaz do\u011fru sant sand sann tosi"
    " adev\u0103rat \u03b1\u03bb\u03b7\u03b8\u03ae\u03c2 istina t\u00f5ene cert"
)
_FALSE = (
    "false falsch faux falso onwaar fa\u0142sz \u043b\u043e\u0436\u044c"
    " \u0445\u0438\u0431\u043d\u0456\u0441\u0442\u044c nepravda hamis yanl\u0131\u015f falskt falsk"
    " usann ep\u00e4tosi fals \u03c8\u03b5\u03c5\u03b4\u03ae\u03c2 \u043b\u044a\u0436\u0430"
    " neistina v\u00e4\u00e4r"
)
_TRUTH = {fold_text(word): True for word in _TRUE.split()} | {
    fold_text(word): False for word in _FALSE.split()
}
_BETWEEN_TEXTS = re.compile(r"[;|]")

Cells = Mapping[str, str]


def question_of(cells: Cells, separator: str) -> tuple[JsonObject, list[Fault]]:
    """Return the question in these cells, not checked yet, and what could not be read.

    Empty cells are not among them; the separator of cells tells decimal commas. Values that do not
    fit the question's type are kept, so that the check reports them.
    """
    kind = cells.get("type", "single").casefold()
    faults: list[Fault] = []
    question: JsonObject = {"type": kind, "text": paragraph(lines_of(cells.get("question", "")))}
    if "id" in cells:
        question["id"] = cells["id"]
    right = cells.get("right", "")
    _put_answer(question, kind, right, separator, faults)
    chosen = _chosen(cells, right, kind, faults) if kind in ("single", "multiple") else frozenset()
    options = _options(cells, chosen)
    if options:
        question["options"] = options
    for column, name in (("tolerance", "tolerance"), ("time", "timeLimit"), ("points", "points")):
        if column in cells:
            value = number_of(cells[column], separator)
            if value is None:
                faults.append(fault("BAD_NUMBER", found=cells[column], column=column))
            else:
                question[name] = value
    question |= _picture(cells, "")
    return question, faults


def number_of(text: str, separator: str = ",") -> float | int | None:
    """Return the number in a text, also with a decimal comma or grouped digits, or None.

    None also if it is unclear what a separator means: `1,234` where cells are separated by commas,
    `1.234` where they are not, because spreadsheets with a decimal comma group digits like that.
    """
    plain = fold_text(text[: _LONGEST_NUMBER + 1])
    if len(text) > _LONGEST_NUMBER:
        return None
    if _GROUPED.fullmatch(plain) and (separator != "," or "," in plain):
        return None if separator != ";" or "." in plain else _value(plain.replace(",", "."))
    for pattern in _NUMBERS:
        if found := pattern.fullmatch(plain):
            whole = re.sub("[^0-9+-]", "", found["whole"])
            return _value(f"{whole}.{found['rest'] or 0}{found['exponent']}")
    return None


def _value(plain: str) -> float | int:
    value = float(plain)
    return int(value) if value.is_integer() else value


def _put_answer(
    question: JsonObject, kind: str, right: str, separator: str, faults: list[Fault]
) -> None:
    """Put an answer into the question, unless it marks options."""
    if kind == "text":
        texts: list[JsonValue] = [one_line(text) for text in _BETWEEN_TEXTS.split(right)]
        question["accepted"] = [text for text in texts if text]
    elif kind == "order" and right:
        faults.append(fault("FIELD_NOT_FOR_TYPE", field="right", type=kind))
    elif kind == "boolean" and right:
        truth = _TRUTH.get(fold_text(right[:_LONGEST_NUMBER]))
        _put(question, right, truth, "true, false", faults)
    elif kind == "number" and right:
        _put(question, right, number_of(right, separator), "42, 3.14", faults)


def _chosen(cells: Cells, right: str, kind: str, faults: list[Fault]) -> AbstractSet[int]:
    """Return the places of the options that are marked as right; add a fault if it is unclear."""
    columns = dict(enumerate(_OPTIONS, start=1))
    texts = {place: cells[column] for place, column in columns.items() if column in cells}
    if not right:
        return frozenset()
    try:
        return right_options(right, texts, one=kind == "single")
    except NoSuchOption as unknown:
        faults.append(fault("ANSWER_NOT_AN_OPTION", answer=unknown.part))
    except Ambiguous as unclear:
        either = ", ".join(columns[place] for place in unclear.places)
        faults.append(fault("ANSWER_AMBIGUOUS", answer=right, options=either))
    return frozenset()


def _put(
    question: JsonObject, text: str, value: JsonValue, example: str, faults: list[Fault]
) -> None:
    if value is None:
        faults.append(fault("ANSWER_UNREADABLE", found=text, example=example))
    else:
        question["answer"] = value


def _options(cells: Cells, chosen: AbstractSet[int]) -> list[JsonValue]:
    options: list[JsonValue] = []
    for number, column in enumerate(_OPTIONS, start=1):
        picture = _picture(cells, str(number))
        if column in cells or picture:
            option: JsonObject = {"text": one_line(cells.get(column, "")), **picture}
            options.append({**option, "right": True} if number in chosen else option)
    return options


def _picture(cells: Cells, number: str) -> JsonObject:
    """Return the picture of the question, or of an option by its number; empty without one."""
    url, alt = f"picture{number}", f"alt{number}"
    if url not in cells and alt not in cells:
        return {}
    return {"picture": {"url": cells.get(url, ""), "alt": one_line(cells.get(alt, ""))}}
