"""Read text files as editors store them: UTF-8, with or without a byte order mark, or UTF-16.

Editors of Windows put a mark before UTF-8, and its shell writes UTF-16.
"""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase, TextIOWrapper
from typing import IO, cast

#: the longer marks first: that of UTF-32 begins with that of UTF-16
_ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
#: bytes of the longest mark
_MARK_BYTES = 4


def encoding_of(start: bytes) -> str:
    """Return the encoding of a text that starts with these bytes; UTF-8 if no mark says another."""
    return next((name for mark, name in _ENCODINGS.items() if start.startswith(mark)), "utf-8")


def text_of(content: bytes) -> str:
    """Return the content of a file as text, without the mark; UnicodeDecodeError if it is none."""
    return content.decode(encoding_of(content))


@contextmanager
def as_text(file: IO[bytes]) -> Iterator[TextIOWrapper]:
    """Read a file as text, without the mark; reading raises UnicodeDecodeError if it is none.

    The file stays open.
    """
    buffered = BufferedReader(cast("RawIOBase", file))  # it needs `readinto` alone
    text = TextIOWrapper(buffered, encoding=encoding_of(buffered.peek(_MARK_BYTES)))
    try:
        yield text
    finally:
        text.detach()
        buffered.detach()


def as_utf_8(content: bytes) -> bytes:
    """Return the content of a file as UTF-8 without a mark, for a parser of bytes.

    What is no text stays as it is, so that the parser says what is wrong.
    """
    if encoding_of(content) == "utf-8":
        return content
    try:
        return text_of(content).encode()
    except UnicodeError:
        return content
