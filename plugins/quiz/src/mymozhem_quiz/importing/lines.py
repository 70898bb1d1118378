"""Lines as editors count them: from 1, and ended only by LF, CRLF or CR.

`str.splitlines` also breaks at NEL, form feeds and similar characters, so its numbers differ from
those that people see.
"""

import re
from bisect import bisect_right

_END = re.compile(r"\r\n|\n|\r")
_BYTE_ORDER_MARK = "\ufeff"


def lines_of(text: str) -> list[str]:
    """Return the lines without their ends; a text has at least one line."""
    return _END.split(text.removeprefix(_BYTE_ORDER_MARK))


def one_line(text: str) -> str:
    """Return a text in which each run of white space, line ends included, is one space."""
    return " ".join(text.split())


def paragraph(lines: list[str]) -> str:
    """Return lines as one text, without empty lines, and with spaces collapsed in each line."""
    return "\n".join(line for line in map(one_line, lines) if line)


class LineNumbers:
    """The line numbers of positions in a text, in logarithmic time."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(end.end() for end in _END.finditer(text))]

    def at(self, offset: int) -> int:
        """Return the line of the character at an offset."""
        return bisect_right(self._starts, offset)
