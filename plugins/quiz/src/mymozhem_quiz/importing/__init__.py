"""Import questions from texts in other formats into a room's settings.

Each format becomes drafts (`opentrivia_format`, `csv_format`, `json_format`). `question_rules`
checks a question, `collect` checks a list of them, and `rounds` groups them into rounds.
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

#: the reader of each format; with True it reads rounds too
FORMATS: Mapping[str, Callable[[str, bool], Reading]] = {
    "opentrivia": lambda text, _: opentrivia_format.read(text),
    "csv": csv_format.read,
    "json": json_format.read,
}


def import_questions(
    text: str, format: str, *, locale: str = "en", taken: Iterable[str] = ()
) -> SettingsImportResult:
    """Return the questions in a text, and the problems that exclude the others, line by line.

    The value is a list of at most 500 questions, in the form of rooms of the first version. There
    are at most 1000 problems, in the order of their lines. New ids skip those in `taken`, for
    questions that are appended to others. Any text is accepted, in linear time; an unknown format
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
    """Return the rounds of questions in a text, and the problems line by line.

    Like `import_questions`, with at most 50 rounds, and options may have pictures. A text that
    names no rounds becomes one round. `rounds` are the ids of existing rounds.
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
    """Return every good question and every fault, without limits; with `rounds`, those of 2.0."""
    read = FORMATS.get(format)
    if read is None:
        raise Refuse("FORMAT_UNKNOWN", say(locale, "FORMAT_UNKNOWN", found=format))
    return collect(read(text, rounds), taken, pictures=rounds)
