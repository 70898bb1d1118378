"""Read a table of people: CSV as spreadsheets write it, with a column of names."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mymozhem.contract import JsonObject, fold_text
from mymozhem.manifests import json_pointer

from .tickets import FIELD as TICKETS

NAME = "name"
MOST_PEOPLE = 10_000
SEPARATORS = ",;\t"

#: what people call the two columns that the host knows
_NAMES = (
    "name|names|full name|имя|фио|ім'я|nom|nombre|nome|naam|navn|namn|imię|jméno|nimi|név|isim|nume"
)
_TICKETS = (
    "tickets|ticket|билеты|билетов|квитки|lose|los|billets|boletos|biglietti|bilhetes|bilety|loten"
    "|arvat|jegyek|biletler|bilete"
)
_KNOWN = {fold_text(word): TICKETS for word in _TICKETS.split("|")} | {
    fold_text(word): NAME for word in _NAMES.split("|")
}
_LOST = (
    "A character here could not be read: save the file as UTF-8, name its encoding as `charset`,"
    " or set the language of the room."
)
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(.)"?[,;|\t\s]*', re.IGNORECASE)


@dataclass(frozen=True)
class TableRow:
    """A person of a table, and the line where the row begins."""

    line: int
    name: str
    metadata: JsonObject


@dataclass(frozen=True)
class PeopleTable:
    """The people of a table, and its problems by pointer: `/lines/3/name`, or `/lines/1`."""

    rows: tuple[TableRow, ...]
    problems: Mapping[str, list[str]]
    columns: tuple[str, ...]


def read_people(text: str) -> PeopleTable:
    """Return the people of a table; a table with problems is read to its end.

    The first row names the columns: `name`, and others that become metadata; `tickets` may have any
    case. Separators are commas, semicolons or tabs, or what a line `sep=;` names.
    """
    found = _Reader()
    try:
        found.read(text)
    except csv.Error as error:
        found.add(found.line, "", f"This row cannot be read: {error}.")
    return PeopleTable(tuple(found.rows), found.problems, tuple(found.columns.values()))


class _Reader:
    def __init__(self) -> None:
        self.rows: list[TableRow] = []
        self.problems: dict[str, list[str]] = {}
        self.columns: dict[int, str] = {}
        self.line = 1

    def add(self, line: int, column: str, message: str) -> None:
        """Add a problem of a line, or of one of its columns."""
        pointer = json_pointer.pointer(["lines", line, *([column] if column else [])])
        self.problems.setdefault(pointer, []).append(message)

    def read(self, text: str) -> None:
        skipped, separator = _named_separator(text)
        rest = text[skipped:]
        first = 1 + text[:skipped].count("\n")
        rows = _rows(rest, separator or _likely_separator(rest), first)
        header = next(rows, None)
        if header is None:
            self.add(1, "", "The file is empty.")
            return
        self._name_columns(*header)
        if NAME not in self.columns.values():
            self.add(header[0], "", "The first row has no column `name`; name its columns there.")
            return
        for line, cells in rows:
            self.line = line
            self._read_row(line, cells)
        if not self.rows and not self.problems:
            self.add(header[0], "", "There is nobody below the names of the columns.")

    def _name_columns(self, line: int, cells: list[str]) -> None:
        for place, cell in enumerate(cells):
            name = _KNOWN.get(fold_text(cell), cell)
            if name in self.columns.values():
                self.add(line, name, "This column is there twice.")
            elif name:
                self.columns[place] = name

    def _read_row(self, line: int, cells: list[str]) -> None:
        for place, cell in enumerate(cells):
            if cell and place not in self.columns:
                self.add(line, "", f"The cell {place + 1} is in a column without a name.")
        named = {
            self.columns[place]: cell for place, cell in enumerate(cells) if place in self.columns
        }
        for column, cell in named.items():
            if "\ufffd" in cell:
                self.add(line, column, _LOST)
        if not named.get(NAME):
            self.add(line, NAME, "The name is missing.")
            return
        if len(self.rows) == MOST_PEOPLE:
            self.add(
                line, "", f"At most {MOST_PEOPLE} people are added at once; send the rest later."
            )
        if len(self.rows) > MOST_PEOPLE:
            return
        metadata: JsonObject = {
            column: cell for column, cell in named.items() if cell and column != NAME
        }
        self.rows.append(TableRow(line, named[NAME], metadata))


def _named_separator(text: str) -> tuple[int, str | None]:
    """Return where the table begins, and the separator that a line `sep=;` before it names."""
    line, end, _ = text.partition("\n")
    found = _SEPARATOR_LINE.fullmatch(line)
    return (len(line) + len(end), found[1]) if found else (0, None)


def _likely_separator(text: str) -> str:
    """Return the separator that gives the most known names of columns, then the most columns."""

    def score(separator: str) -> tuple[int, int]:
        try:
            _, cells = next(_rows(text, separator, 1), (0, []))
        except csv.Error:
            return 0, 0
        return sum(fold_text(cell) in _KNOWN for cell in cells), len(cells)

    return max(SEPARATORS, key=score)


def _rows(text: str, separator: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold something, with the line where each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begin = first
    for cells in reader:
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield begin, stripped
        begin = first + reader.line_num
