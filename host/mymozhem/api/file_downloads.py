"""Lists as files: CSV for spreadsheets, JSON for programs, sent in parts.

A CSV file is UTF-8 with a byte order mark, without which spreadsheets assume another encoding; its
lines end as in RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in
front, because participants write texts and organizers open them.
"""

import csv
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from enum import StrEnum
from io import StringIO
from typing import TypeVar

from pydantic import BaseModel, JsonValue
from quart import Response

from .json_provider import dumps

V = TypeVar("V", bound=BaseModel)
Cells = Sequence[JsonValue]

#: seconds that a download may take; downloads at a time are limited, so a slow client must end
DOWNLOAD_SECONDS = 600
#: characters that start a formula, including full-width forms, or white space that hides one
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class FileForm(StrEnum):
    """The file format of a list."""

    CSV = "csv"  #: a line for each item
    JSON = "json"  #: `data` and `meta.total`, as in other responses


def download(
    name: str,
    form: FileForm,
    parts: AsyncIterator[Sequence[V]],
    *,
    header: Sequence[str],
    cells: Callable[[V], Cells],
) -> Response:
    """Return a response that sends a whole list as a file; `cells` makes a line of an item."""
    if form is FileForm.CSV:
        response = Response(_csv(parts, header, cells), content_type="text/csv; charset=utf-8")
    else:
        response = Response(_json(parts), content_type="application/json")
    response.timeout = DOWNLOAD_SECONDS
    # a window's id may have a colon, which some systems forbid in file names
    file = name.replace(":", "-")
    response.headers["Content-Disposition"] = f'attachment; filename="{file}.{form}"'
    return response


def cell(value: JsonValue) -> str | int | float:
    """Return a value for a cell: numbers as they are, texts made harmless, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return dumps(value).decode()
    return value


async def _csv(
    parts: AsyncIterator[Sequence[V]], header: Sequence[str], cells: Callable[[V], Cells]
) -> AsyncIterator[bytes]:
    yield b"\xef\xbb\xbf" + _lines([header])
    async for some in parts:
        yield _lines([cells(each) for each in some])


async def _json(parts: AsyncIterator[Sequence[V]]) -> AsyncIterator[bytes]:
    total = 0
    yield b'{"data":['
    async for some in parts:
        if some:
            yield (b"," if total else b"") + dumps(some)[1:-1]
            total += len(some)
    yield b'],"meta":{"total":%d}}' % total


def _lines(rows: Iterable[Cells]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode()
