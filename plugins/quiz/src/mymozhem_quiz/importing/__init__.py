"""Questions that people wrote elsewhere, as a room's settings hold them.

Each format is read into drafts (`open_trivia`, `csv_table`, `json_list`); what a question must be
is said once (`checking`), what a list of them must be once (`collecting`), and how they make rounds
once (`grouping`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from mymozhem.contract import Refuse, SettingsImportResult

from . import csv_format, json_format, opentrivia_format
from .collect import Collected, Reading, collect, result_of
from .messages_en import say
from .problems import Fault
from .question_rules import check_question, check_round
from .rounds import rounds_of

__all__ = [
    "FORMATS",
    "Fault",
    "check_question",
    "check_round",
    "import_questions",
    "import_rounds",
    "read_questions",
]

#: how a text becomes drafts, by the name of its format; with True rounds are read too
FORMATS: Mapping[str, Callable[[str, bool], Reading]] = {
    "opentrivia": lambda text, _: opentrivia_format.read(text),
    "csv": csv_format.read,
    "json": json_format.read,
}


def import_questions(
    text: str, format: str, *, locale: str = "en", taken: Iterable[str] = ()
) -> SettingsImportResult:
    """Return the questions that a text holds, and line by line what keeps the others out.

    The value is a list of 500 questions at most, as rooms of the first version hold them; there
    are 1000 problems at most, in the order of their lines. New ids skip those in `taken`, which is
    for questions that are appended to others. Any text is taken, in linear time; an unknown format
    is refused.
    """
    return result_of(read_questions(text, format, locale=locale, taken=taken), locale)


def import_rounds(
    text: str,
    format: str,
    *,
    locale: str = "en",
    taken: Iterable[str] = (),
    rounds: Sequence[str] = (),
) -> SettingsImportResult:
    """Return the rounds of questions that a text holds, and line by line what is wrong.

    As `import_questions`, with 50 rounds at most, and options may have pictures. A text that names
    no rounds is one. `rounds` are the ids of those that are there already.
    """
    collected = read_questions(text, format, locale=locale, taken=taken, rounds=True)
    return rounds_of(collected, locale, taken=rounds)


def read_questions(
    text: str,
    format: str,
    *,
    locale: str = "en",
    taken: Iterable[str] = (),
    rounds: bool = False,
) -> Collected:
    """Return every good question and every fault, however many; with `rounds` what 2.0 reads."""
    read = FORMATS.get(format)
    if read is None:
        raise Refuse("FORMAT_UNKNOWN", say(locale, "FORMAT_UNKNOWN", found=format))
    return collect(read(text, rounds), taken, pictures=rounds)
