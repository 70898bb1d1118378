"""Questions as a table: CSV with a row of names first, then a row for each question.

    question,type,option1,option2,option3,right,time
    Largest planet?,single,Mars,Jupiter,Venus,B,20
    Prime numbers?,multiple,2,3,4,A;B,
    The moon is a star.,boolean,,,,false,
    How many legs has a spider?,number,,,,8,
    Capital of France?,text,,,,Paris | Lutetia,
    From small to large,order,mouse,cat,horse,,

| column | content |
| --- | --- |
| question | the text; the only required column |
| type | single (the default), multiple, boolean, number, text, order |
| option1 to option8, or a to h | the options; gaps between them are closed |
| right | single, multiple: letters or numbers of options, such as `B` or `1;3`, or their texts; a |
| | cell that can mean several options is a problem; boolean: TRUE or FALSE in the language of the |
| | spreadsheet; number: the number; text: the accepted answers, separated by `;` or `|`; order: |
| | empty, since the options are in the right order |
| tolerance | number: how far off is still right; if empty, the nearest wins |
| time, points | seconds and points of this question |
| picture, alt | an https address, and a text that describes the picture |
| id | the question's id, if it has one |
| round | the title of the question's round; if empty, that of the row above |
| picture1 to picture8, alt1 to alt8 | pictures of the options |

The columns of the last two rows are read only for rooms with rounds. All rows with the same title
are one round, even if other rows are between them.

Names are read in any case, with or without spaces, hyphens and underscores. The separator is the
comma, the semicolon or the tab: the one that gives known names in the first row; or the one that a
line such as `sep=;` before it names. Numbers may have a decimal comma. Quoted cells may contain
separators, doubled quotes and line ends; every problem names the line on which the row begins. A
row whose quotes do not close within 40 lines is skipped, and reading continues with the next line,
which keeps the time linear.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from mymozhem.contract import fold_text

from .collect import Draft, Heading, Located, Reading
from .lines import lines_of, one_line
from .problems import Fault, fault
from .table_row import question_of

SEPARATORS = ",;\t"
MAX_ROW_LINES = 40

OPTION_COLUMNS = tuple(f"option{number}" for number in range(1, 9))
_COLUMNS = {
    "question", "type", *OPTION_COLUMNS, "right", "tolerance", "time", "points", "picture", "alt",
    "id",
}  # fmt: skip
_WITH_ROUNDS = _COLUMNS | {"round"} | {
    f"{name}{number}" for name in ("picture", "alt") for number in range(1, 9)
}  # fmt: skip
_ALIASES = dict(zip("abcdefgh", OPTION_COLUMNS, strict=True))
#: the line by which spreadsheets know the separator; quoted if they wrote it themselves
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([,;|\t])"?[,;|\t\s]*', re.IGNORECASE)
_FILLING = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class _Row:
    """The cells of a row; None if its quotes do not close."""

    line: int
    cells: list[str] | None


class _RowLines:
    """The lines from which rows are read: each row may take a limited number of lines.

    If a row does not end within them, reading can go back.
    """

    def __init__(self, lines: list[str], start: int) -> None:
        self.lines = lines
        self.next = start
        self.end = start

    def __iter__(self) -> "_RowLines":
        return self

    def __next__(self) -> str:
        if self.next >= min(self.end, len(self.lines)):
            raise StopIteration
        self.next += 1
        return f"{self.lines[self.next - 1]}\n"


def read(text: str, rounds: bool = False) -> Reading:  # noqa: FBT001, FBT002  as each format is read
    """Yield a draft for every row below the names; never raises, and takes linear time."""
    lines = lines_of(text)
    start = next((index for index, line in enumerate(lines) if line.strip()), None)
    if start is None:
        return
    known = _WITH_ROUNDS if rounds else _COLUMNS
    separator = _named_separator(lines[start])
    if separator is not None:
        start += 1
    separator = separator or _separator(lines, start, known)
    if not any(line.strip() for line in lines[start:]):
        return
    rows = _rows(lines, start, separator)
    header = next(rows)
    columns, faults = _columns(header, known)
    if "question" not in columns.values():
        faults = [fault("NO_QUESTION_COLUMN")]
        rows = iter(())
    yield from (Located(header.line, each) for each in faults)
    width = len(header.cells or ())
    headings = _Headings(columns)
    for row in rows:
        if row.cells is None or any(row.cells):
            yield _draft(row, columns, width, headings.of(row), separator)


class _Headings:
    """The rounds of a table by their titles, ignoring spelling in case and spaces."""

    def __init__(self, columns: Mapping[int, str]) -> None:
        self._place = next((place for place, name in columns.items() if name == "round"), None)
        self._known: dict[str, Heading] = {}
        self._last: Heading | None = None

    def of(self, row: _Row) -> Heading | None:
        """Return the round of a row, or None above the first title."""
        cells = row.cells or ()
        if self._place is not None and self._place < len(cells) and cells[self._place]:
            title = one_line(cells[self._place])
            new = Heading(row.line, {"title": title})
            self._last = self._known.setdefault(fold_text(title), new)
        return self._last


def _named_separator(line: str) -> str | None:
    """Return the separator that a line such as `sep=;` names; None for any other line."""
    found = _SEPARATOR_LINE.fullmatch(line)
    return found and found[1]


def _separator(lines: list[str], start: int, known: AbstractSet[str]) -> str:
    """Return the separator that gives the most known names in the first row; by default a comma."""

    def found(separator: str) -> int:
        return len(_columns(next(_rows(lines, start, separator)), known)[0])

    return max(SEPARATORS, key=found)


def _rows(lines: list[str], start: int, separator: str) -> Iterator[_Row]:
    source = _RowLines(lines, start)
    reader = csv.reader(source, delimiter=separator, strict=True)
    while source.next < len(lines):
        begin = source.next
        source.end = begin + MAX_ROW_LINES
        try:
            cells = next(reader)
        except (csv.Error, StopIteration):
            source.next = begin + 1
            yield _Row(begin + 1, None)
        else:
            yield _Row(begin + 1, [cell.strip() for cell in cells])


def _columns(header: _Row, known: AbstractSet[str]) -> tuple[dict[int, str], list[Fault]]:
    """Return the names of the known columns by position, and what is wrong with the others."""
    columns: dict[int, str] = {}
    others: dict[str, list[str]] = {"UNKNOWN_COLUMN": [], "DUPLICATE_COLUMN": []}
    seen: set[str] = set()
    for place, cell in enumerate(header.cells or ()):
        plain = _FILLING.sub("", cell.casefold())
        name = _ALIASES.get(plain, plain)
        if name not in known:
            others["UNKNOWN_COLUMN"] += [cell] if cell else []
        elif name in seen:
            others["DUPLICATE_COLUMN"].append(cell)
        else:
            seen.add(name)
            columns[place] = name
    told = [fault(code, columns=", ".join(names)) for code, names in others.items() if names]
    return columns, told


def _draft(
    row: _Row, columns: Mapping[int, str], width: int, heading: Heading | None, separator: str
) -> Draft:
    if row.cells is None:
        return Draft(row.line, faults=(Located(row.line, fault("BROKEN_QUOTES")),))
    if any(row.cells[width:]):
        return Draft(row.line, faults=(Located(row.line, fault("TOO_MANY_CELLS")),))
    cells = {name: row.cells[place] for place, name in columns.items() if place < len(row.cells)}
    written = {name: cell for name, cell in cells.items() if cell}
    question, faults = question_of(written, separator)
    located = tuple(Located(row.line, each) for each in faults)
    return Draft(row.line, question, located, under=heading)
