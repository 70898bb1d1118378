"""JSON text for columns, decoded exactly as it was encoded."""

import json
import re

import orjson

# Nineteen digits in a row may be an integer beyond 64 bits, which orjson would turn into a float.
_MAYBE_BIG = re.compile(r"\d{19}")


def dump(document: object) -> str:
    """Encode a document as JSON text; `load` returns every value equal and of the same type.

    Raises `TypeError` for what is not JSON (a key that is not a string, a lone surrogate) and
    `ValueError` for NaN and the infinities.
    """
    try:
        text = orjson.dumps(document).decode()
    except TypeError as error:
        if "64-bit" not in str(error):
            raise
        return _dump_exactly(document)
    # orjson writes NaN as null, so only a text with a null can contain one.
    return _dump_exactly(document) if "null" in text else text


def load(text: str) -> object:
    """Decode JSON text from `dump`; integers of any size stay integers."""
    return json.loads(text) if _MAYBE_BIG.search(text) else orjson.loads(text)


def _dump_exactly(document: object) -> str:
    return json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
