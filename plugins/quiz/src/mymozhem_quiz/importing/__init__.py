"""Questions that people wrote elsewhere, as a room's settings hold them.

Each format is read into drafts (`open_trivia`, `csv_table`, `json_list`); what a question must be
is said once (`checking`), and what a list of them must be once (`collecting`).
"""

from collections.abc import Callable, Iterable, Mapping

from mymozhem.contract import Refuse, SettingsImportResult

from . import csv_table, json_list, open_trivia
from .checking import check_question
from .collecting import Collected, Reading, collect, result_of
from .faults import Fault
from .texts import say

__all__ = ["FORMATS", "Fault", "check_question", "import_questions", "read_questions"]

#: how a text becomes drafts, by the name of its format
FORMATS: Mapping[str, Callable[[str], Reading]] = {
    "opentrivia": open_trivia.read,
    "csv": csv_table.read,
    "json": json_list.read,
}


def import_questions(
    text: str, format: str, *, locale: str = "en", taken: Iterable[str] = ()
) -> SettingsImportResult:
    """Return the questions that a text holds, and line by line what keeps the others out.

    The value is a list of 500 questions at most, each of which passes `check_question`; there are
    1000 problems at most, in the order of their lines. New ids skip those in `taken`, which is for
    questions that are appended to others. Any text is taken, in linear time; an unknown format is
    refused.
    """
    return result_of(read_questions(text, format, locale=locale, taken=taken), locale)


def read_questions(
    text: str, format: str, *, locale: str = "en", taken: Iterable[str] = ()
) -> Collected:
    """Return every good question and every fault, however many."""
    read = FORMATS.get(format)
    if read is None:
        raise Refuse("FORMAT_UNKNOWN", say(locale, "FORMAT_UNKNOWN", found=format))
    return collect(read(text), taken)
