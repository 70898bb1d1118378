"""Settings while steps change them: a copy that never grows beyond the limit of a room."""

from collections.abc import Iterator, Sequence
from itertools import chain

import orjson
from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.manifests.json_pointer import Part, pointer

from .steps import EACH, through_last_each

MAX_BYTES = 256 * 1024

#: the maximum of places visited and 200-byte blocks moved in all steps: some seconds of work
MAX_WORK = 500_000
_BYTES_AT_ONCE = 200

Place = tuple[Part, ...]


class Unfit(ValueError):
    """A step cannot be applied to these settings; `code`, `pointer` and `message` say why."""

    def __init__(self, code: str, place: Place, message: str) -> None:
        self.code = code
        self.pointer = pointer(place)
        self.message = message
        super().__init__(message)


class Draft:
    """Settings that are being changed.

    Every new value is copied, and its size as JSON is counted before the copy: otherwise a few
    steps could turn 256 KiB into gigabytes. Work is counted too, because a few steps could
    otherwise take minutes.
    """

    def __init__(self, settings: JsonObject) -> None:
        self.settings = settings
        self._bytes_left = MAX_BYTES - len(_json(settings, ()))
        self._work_left = MAX_WORK

    def places(self, names: Sequence[str], *, below: Place = ()) -> list[Place]:
        """Return the existing places of a path, with `*` expanded; `below` is where to start.

        A name below a list or a scalar has no place.
        """
        found = list(self._at(below))
        for name in names:
            found = list(chain.from_iterable(_steps_in(place, here, name) for place, here in found))
            self._work(len(found), below)
        return [place for place, _ in found]

    def targets(self, names: Sequence[str], *, below: Place = ()) -> list[Place]:
        """Return the places of a path, with `*` expanded, whether they exist or not."""
        shared = through_last_each(names)
        rest = tuple(names[len(shared) :])
        return [(*place, *rest) for place in self.places(shared, below=below)]

    def has(self, place: Place) -> bool:
        """Return whether there is a value at a place."""
        return bool(self._at(place))

    def get(self, place: Place) -> JsonValue:
        """Return the value at an existing place."""
        return self._at(place)[0][1]

    def copy(self, place: Place) -> JsonValue:
        """Return a copy of the value at an existing place."""
        return _copied(self.get(place))

    def take(self, place: Place) -> JsonValue:
        """Remove the value at a place of an object, and return it.

        An element of a list is replaced by an empty object, for values that are put inside it.
        """
        holder, key = self.get(place[:-1]), place[-1]
        if isinstance(holder, list):
            value = holder[int(key)]
            self._pay(-_cost(None, value, place), place)
            self._pay(_cost(None, {}, place), place)
            holder[int(key)] = {}
            return value
        return self._remove(holder, key, place)

    def remove(self, place: Place) -> None:
        """Remove the value at a place; later elements of a list move up."""
        self._remove(self.get(place[:-1]), place[-1], place)

    def put(self, place: Place, value: JsonValue) -> None:
        """Put a copy of a value at a place; create missing objects on the way there.

        `Unfit` if the path leads through another type of value, or if the settings would be too
        large.
        """
        here: JsonValue = self.settings
        for length, part in enumerate(place[:-1], start=1):
            here = self._inside(here, part, place[:length])
        key = place[-1]
        if isinstance(here, dict) and isinstance(key, str):
            if key in here:
                self._pay(-_cost(key, here[key], place), place)
            self._pay(_cost(key, value, place), place)
            here[key] = _copied(value)
        elif isinstance(here, list) and isinstance(key, int) and key < len(here):
            self._pay(-_cost(None, here[key], place), place)
            self._pay(_cost(None, value, place), place)
            here[key] = _copied(value)
        else:
            raise _no_object(place[:-1], here)

    def _inside(self, here: JsonValue, part: Part, place: Place) -> JsonValue:
        if isinstance(here, dict) and isinstance(part, str):
            if part not in here:
                self._pay(_cost(part, {}, place), place)
                here[part] = {}
            return here[part]
        for found in _below(here, part):
            return found
        raise _no_object(place[:-1], here)

    def _remove(self, holder: JsonValue, key: Part, place: Place) -> JsonValue:
        if isinstance(holder, dict):
            value = holder.pop(str(key))
            self._pay(-_cost(str(key), value, place), place)
            return value
        if isinstance(holder, list):
            value = holder.pop(int(key))
            self._pay(-_cost(None, value, place), place)
            return value
        raise _no_object(place[:-1], holder)

    def _at(self, place: Place) -> list[tuple[Place, JsonValue]]:
        """Return a place with its value, as the only item of a list; an empty list if none."""
        here: JsonValue = self.settings
        for part in place:
            found = list(_below(here, part))
            if not found:
                return []
            here = found[0]
        return [(place, here)]

    def _pay(self, cost: int, place: Place) -> None:
        self._bytes_left -= cost
        if self._bytes_left < 0:
            message = f"the settings would take more than {MAX_BYTES:,} bytes"
            raise Unfit("TOO_LARGE", place, message)
        self._work(abs(cost) // _BYTES_AT_ONCE, place)

    def _work(self, done: int, place: Place) -> None:
        self._work_left -= done
        if self._work_left < 0:
            message = "the steps have more to do than settings of this size may take"
            raise Unfit("TOO_MUCH_WORK", place, message)


def _below(here: JsonValue, part: Part) -> Iterator[JsonValue]:
    """Yield the value directly below, if there is one."""
    if isinstance(here, dict) and isinstance(part, str) and part in here:
        yield here[part]
    if isinstance(here, list) and isinstance(part, int) and part < len(here):
        yield here[part]


def _steps_in(place: Place, here: JsonValue, name: str) -> Iterator[tuple[Place, JsonValue]]:
    """Yield the places that a name leads to from a place."""
    if name == EACH and isinstance(here, list):
        yield from (((*place, position), value) for position, value in enumerate(here))
    elif name == EACH and isinstance(here, dict):
        yield from (((*place, key), value) for key, value in here.items())
    elif isinstance(here, dict) and name in here:
        yield (*place, name), here[name]


def _no_object(place: Place, here: JsonValue) -> Unfit:
    if isinstance(here, list):
        message = "this is a list, whose elements are reached by * alone"
        return Unfit("TARGET_IN_LIST", place, message)
    return Unfit("TARGET_IN_SCALAR", place, "this is no object that something could be put into")


def _cost(name: str | None, value: JsonValue, place: Place) -> int:
    """Return the bytes of a value in an object under a name, or in a list without one."""
    named = 0 if name is None else len(_json(name, place)) + 1
    return named + len(_json(value, place)) + 1


def _json(value: JsonValue, place: Place) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise Unfit("NOT_JSON", place, f"this cannot be written as JSON: {error}") from error


def _copied(value: JsonValue) -> JsonValue:
    if isinstance(value, dict | list):
        copy: JsonValue = orjson.loads(orjson.dumps(value))
        return copy
    return value
