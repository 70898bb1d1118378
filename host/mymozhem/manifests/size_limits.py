"""Limit the size of a manifest outside its schemas and translations, before any other check.

The validator's engine repeats the whole object for every misnamed field of it, so thousands of
names in one object would block it for minutes.
"""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from .json_pointer import Part, pointer
from .problems import Problem

MAX_ENTRIES = 200
MAX_VALUES = 5_000
_ELSEWHERE = frozenset({"fallback", "payload", "registration", "settings", "state"})


def size_problems(document: Mapping[str, JsonValue]) -> tuple[Problem, ...]:
    """Return the first object or list with more than 200 entries, or a total of more than 5,000."""
    for counted, (path, value) in enumerate(_values(document)):
        if isinstance(value, dict | list) and len(value) > MAX_ENTRIES:
            message = f"there are {len(value):,} entries; the limit is {MAX_ENTRIES}"
            return (Problem(pointer(path), "TOO_MANY", message, "leave out what is not needed"),)
        if counted > MAX_VALUES:
            message = f"outside its schemas, a manifest holds {MAX_VALUES:,} values at most"
            return (Problem("", "TOO_MANY", message, "leave out what is not needed"),)
    return ()


def _values(document: Mapping[str, JsonValue]) -> Iterator[tuple[tuple[Part, ...], JsonValue]]:
    waiting: list[tuple[tuple[Part, ...], JsonValue]] = [((), dict(document))]
    while waiting:
        path, value = waiting.pop()
        if path[:1] == ("locales",) and path[1:]:
            continue  # there may be many translations, which are checked one by one
        yield path, value
        if isinstance(value, dict) and len(value) <= MAX_ENTRIES:
            waiting += [((*path, k), item) for k, item in value.items() if k not in _ELSEWHERE]
        if isinstance(value, list) and len(value) <= MAX_ENTRIES:
            waiting += [((*path, position), item) for position, item in enumerate(value)]
