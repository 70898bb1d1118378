"""Find settings that steps move to where more people see them, to warn organizers in advance."""

from collections.abc import Iterator, Mapping, Sequence

from mymozhem.contract import Level
from mymozhem.manifests.json_pointer import pointer
from mymozhem.manifests.schema_outline import Outline

from .steps import EACH, Copy, Map, Move, Remove, Rename, Set, Step, names_of

Names = tuple[str, ...]
#: the maximum of steps, and of their target places; a copy may double the places
MAX_FOLLOWED = 1_000
MAX_LOOKED_AT = 20_000
#: the result beyond the maximum
EVERYTHING = (("", ""),)
_STRICTNESS = (Level.PUBLIC, Level.ORGANIZER, Level.PRIVATE)


class _TooMuch(Exception):
    """There are more steps or places than the limit."""


def shown_to_more(
    steps: Sequence[Step], before: Outline, after: Outline
) -> tuple[tuple[str, str], ...]:
    """Return source and target pointers of settings that more people see after the steps.

    `before` and `after` are the schemas around the steps. The pointers contain the same `*` as the
    steps. Both pointers are empty if there are more steps or places than the limit.
    """
    if len(steps) > MAX_FOLLOWED:
        return EVERYTHING
    found: dict[tuple[str, str], None] = {}
    try:
        look = _Look()
        for target, source in _carried(steps).items():
            for below in look.looser(look.at(before, source), look.at(after, target)):
                found[pointer(source + below), pointer(target + below)] = None
    except _TooMuch:
        return EVERYTHING
    return tuple(found)


def _carried(steps: Sequence[Step]) -> Mapping[Names, Names]:
    """Return the source of each target after all steps, without values that steps create."""
    origins: dict[Names, Names] = {}
    for step in steps:
        path = names_of(step.path)
        match step:
            case Rename():
                _put(origins, path, (*path[:-1], step.to), take=True)
            case Move() | Copy():
                _put(origins, names_of(step.source), path, take=isinstance(step, Move))
            case Set() | Remove():
                _forget(origins, path)
            case Map():
                origins[path] = _origin(origins, path)
            case _:
                pass  # the default only fills a missing value
    return origins


def _put(origins: dict[Names, Names], source: Names, target: Names, *, take: bool) -> None:
    inside = {
        (*target, *name[len(source) :]): origin
        for name, origin in origins.items()
        if name[: len(source)] == source
    }
    inside[target] = _origin(origins, source)
    if take:
        _forget(origins, source)
    _forget(origins, target)
    origins.update(inside)
    if len(origins) > MAX_FOLLOWED:
        raise _TooMuch


def _forget(origins: dict[Names, Names], path: Names) -> None:
    for name in [each for each in origins if each[: len(path)] == path]:
        del origins[name]


def _origin(origins: Mapping[Names, Names], path: Names) -> Names:
    for length in range(len(path), 0, -1):
        if path[:length] in origins:
            return origins[path[:length]] + path[length:]
    return path


#: a part of the settings, and who sees it
Spot = tuple[Outline, Level]


class _Look:
    """Walks through two schemas in parallel, with a limit."""

    def __init__(self) -> None:
        self._left = MAX_LOOKED_AT

    def at(self, whole: Outline, path: Names) -> Spot:
        """Return the part at a path."""
        spot = (whole, whole.visibility or Level.PUBLIC)
        for name in path:
            spot = self._entry(spot) if name == EACH else self._named(spot, name)
        return spot

    def looser(self, before: Spot, after: Spot) -> Iterator[Names]:
        """Yield the parts that more people see after than before, at or below these places."""
        named = tuple(dict.fromkeys((*before[0].names, *after[0].names)))
        parts = [((name,), self._named(before, name), self._named(after, name)) for name in named]
        if before[0].item(0).possible or after[0].item(0).possible:
            parts.append(((EACH,), self._entry(before), self._entry(after)))
        if not parts and _STRICTNESS.index(after[1]) < _STRICTNESS.index(before[1]):
            yield ()
        for name, was, now in parts:
            yield from ((*name, *below) for below in self.looser(was, now))

    def _named(self, spot: Spot, name: str) -> Spot:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch
        part = spot[0].property(name)
        return part, _stricter(spot[1], part.visibility or Level.ORGANIZER)

    def _entry(self, spot: Spot) -> Spot:
        part = spot[0].item(0)
        if not part.possible:
            return self._named(spot, EACH)
        return part, _stricter(spot[1], part.visibility or Level.PUBLIC)


def _stricter(one: Level, other: Level) -> Level:
    return max(one, other, key=_STRICTNESS.index)
