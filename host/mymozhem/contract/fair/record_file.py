"""Read the record of a draw from a file; refuse what two parsers could understand differently."""

import json
import os
from pathlib import Path
from typing import NoReturn

from mymozhem.contract.fair.errors import UnreadableRecord

MAX_RECORD_BYTES = 512 * 2**20


def read_record(path: str | Path) -> object:
    """Return the JSON document in the file, for `verify`.

    Raises UnreadableRecord for a missing file, more than 512 MiB, text that is not UTF-8
    (with or without a byte order mark), broken or too deeply nested JSON, a duplicate member, NaN,
    infinities and numbers of thousands of digits.
    """
    try:
        return _parsed(_text(Path(path)))
    except OSError as error:
        raise UnreadableRecord(f"cannot read {path}: {error.strerror}") from error
    except RecursionError as error:
        raise UnreadableRecord(f"{path} is nested too deeply") from error
    except ValueError as error:
        raise UnreadableRecord(f"{path} is not a record: {error}") from error


def _text(path: Path) -> str:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        content = b"" if size > MAX_RECORD_BYTES else file.read(MAX_RECORD_BYTES + 1)
    if max(size, len(content)) > MAX_RECORD_BYTES:  # a device has size 0, but may have no end
        raise ValueError(f"more than {MAX_RECORD_BYTES} bytes")
    return content.decode("utf-8-sig")


def _parsed(text: str) -> object:
    document: object = json.loads(text, object_pairs_hook=_named_once, parse_constant=_not_a_number)
    return document


def _named_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("an object names a member twice")
    return document


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")
