"""Equality of JSON values, and the differences of two documents."""

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from mymozhem.contract.canonical_json import canonical_json
from mymozhem.manifests.json_pointer import Part, pointer

SHOWN = 60
LISTED = 5
_NOTHING = object()


def same(one: object, other: object) -> bool:
    """Return whether two values are equal in JSON: 1 equals 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def keyed(values: Iterable[JsonValue]) -> dict[bytes, JsonValue]:
    """Return the values by their JSON identity, each once."""
    return {canonical_json(value): value for value in values}


def differences(old: object, new: object, path: tuple[Part, ...] = ()) -> Iterator[str]:
    """Yield the pointers of the smallest parts that differ; a list is one part."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            below = (*path, name)
            yield from differences(old.get(name, _NOTHING), new.get(name, _NOTHING), below)
    else:
        yield pointer(path)


def listed(values: Iterable[JsonValue]) -> str:
    """Return the first values of a list as text, and how many more there are."""
    found = list(values)
    first = ", ".join(shown(value) for value in found[:LISTED])
    more = len(found) - LISTED
    return f"{first} and {more:,} more" if more > 0 else first


def shown(value: JsonValue) -> str:
    """Return a value as JSON for a sentence, cut if it is long."""
    text = canonical_json(value).decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
