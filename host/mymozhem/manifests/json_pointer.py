"""JSON Pointers (RFC 6901): write them, parse them, follow them."""

import re
from collections.abc import Iterable

Part = str | int

_INDEX = re.compile("0|[1-9][0-9]{0,8}")


def pointer(parts: Iterable[Part]) -> str:
    """Return the parts of a path as a JSON Pointer; no parts mean the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parts(text: str) -> list[str]:
    """Parse a JSON Pointer into its parts; ValueError if the text is none."""
    if not text:
        return []
    if not text.startswith("/"):
        msg = f"{text!r} is no JSON Pointer, which starts with a slash"
        raise ValueError(msg)
    return [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]


def find(document: object, text: str) -> object:
    """Return the value at a JSON Pointer; KeyError if missing, ValueError if it is no pointer."""
    found = document
    for part in parts(text):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and _INDEX.fullmatch(part) and int(part) < len(found):
            found = found[int(part)]
        else:
            raise KeyError(text)
    return found
