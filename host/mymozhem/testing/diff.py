"""The differences between two values, summarized over many pairs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.manifests.json_pointer import pointer
from mymozhem.manifests.settings_migrations.operations import exactly

_MOST = 60


class Nothing:
    """The marker of a missing value."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = Nothing()

Found = JsonValue | Nothing
Place = tuple[str, ...]


@dataclass
class Difference:
    """The number of differences at a place, and the first two values that differ.

    `place` is a pointer in which `*` means every element of a list.
    """

    place: str
    before: Found
    after: Found
    count: int = 0

    @property
    def text(self) -> str:
        """The place and the example."""
        return f"{self.place or '/'}: {_short(self.before)} came back as {_short(self.after)}"


def differences(pairs: Iterable[tuple[JsonValue, JsonValue]]) -> list[Difference]:
    """Return the places at which the values of pairs differ, in the order they are found."""
    known: dict[str, Difference] = {}
    for before, after in pairs:
        seen: set[str] = set()
        for path, one, other in _differing((), before, after):
            place = pointer(path)
            found = known.setdefault(place, Difference(place, one, other))
            found.count += place not in seen
            seen.add(place)
    return list(known.values())


def _differing(path: Place, before: Found, after: Found) -> Iterator[tuple[Place, Found, Found]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            one, other = before.get(name, NOTHING), after.get(name, NOTHING)
            yield from _differing((*path, name), one, other)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from _differing((*path, "*"), one, other)
    elif isinstance(before, Nothing) or isinstance(after, Nothing):
        if before is not after:
            yield path, before, after
    elif exactly(before) != exactly(after):
        yield path, before, after


def _short(value: Found) -> str:
    text = repr(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
