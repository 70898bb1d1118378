"""The referee's position in a schema, and the name of that place for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from pydantic import JsonValue

from mymozhem.contract import Level
from mymozhem.manifests.json_pointer import Part, pointer
from mymozhem.manifests.schema_nodes import Schema

#: the maximum length of a place's name in a sentence, and of one name in it
LONGEST_LABEL = 200
LONGEST_NAME = 60

_STRICTNESS = (Level.PUBLIC, Level.ORGANIZER, Level.PRIVATE)
SEEN_BY = {
    Level.PUBLIC: "everybody in the room",
    Level.ORGANIZER: "organizers",
    Level.PRIVATE: "nobody but the app",
}


def is_looser(now: Level, was: Level) -> bool:
    """Return whether more people see a value at the level `now` than at the level `was`."""
    return _STRICTNESS.index(now) < _STRICTNESS.index(was)


class Side(Enum):
    """Who relies on a schema."""

    COMPLETED = auto()  #: values that rooms hold, completed by defaults: settings
    GIVEN = auto()  #: values that rooms hold or people send, as they are
    READ = auto()  #: values that the app writes and others read: payloads of events


class Kind(Enum):
    """What part of its surroundings a schema describes."""

    ROOT = auto()
    PROPERTY = auto()
    ENTRY = auto()


@dataclass(frozen=True)
class Place:
    """A place in two schemas: its pointer in the manifest, and its name in sentences.

    `is_live` says for the old and the new schema whether a part above is `x-live`; `must` says
    whether the property is required now.
    """

    pointer: str
    label: str
    side: Side
    kind: Kind = Kind.ROOT
    is_live: tuple[bool, bool] = (False, False)
    must: bool = False

    def at(self, *path: Part) -> str:
        """Return the pointer of a part below."""
        return self.pointer + pointer(path)

    def property(
        self, name: str, old: Schema | None, new: Schema | None, *, must: bool = False
    ) -> "Place":
        """Return the place of a property, named by its title if it has one."""
        found = (said.get("title") for said in (new, old) if isinstance(said, Mapping))
        title = _short(next((word for word in found if isinstance(word, str)), name))
        return replace(
            self,
            pointer=self.at("properties", name),
            label=self._named(f"“{title}”"),
            kind=Kind.PROPERTY,
            must=must,
        )

    def below(self, word: str, name: str, kind: Kind) -> "Place":
        """Return the place that a keyword describes: entries, or undeclared fields."""
        return replace(self, pointer=self.at(word), label=self._named(name), kind=kind, must=False)

    def _named(self, part: str) -> str:
        """Return the name of a part; a deep part gets only the nearest names."""
        label = f"{self.label}, {part}"
        return label if len(label) <= LONGEST_LABEL else f"…{label[-LONGEST_LABEL:]}"

    def under(self, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> "Place":
        """Return the same place inside of two enclosing schemas."""
        return replace(self, is_live=self.lives(old, new))

    def lives(
        self, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]
    ) -> tuple[bool, bool]:
        """Return for both schemas whether this place may change while the room runs."""
        above_old, above_new = self.is_live
        return above_old or old.get("x-live") is True, above_new or new.get("x-live") is True

    def visibility(self, schema: Mapping[str, JsonValue]) -> Level:
        """Return who sees this place; organizers if the schema does not say."""
        said = schema.get("x-visibility")
        if isinstance(said, str) and said in set(Level):
            return Level(said)
        return Level.ORGANIZER if self.kind is Kind.PROPERTY else Level.PUBLIC


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def words_in(value: JsonValue, word: str) -> Iterator[JsonValue]:
    """Yield the values of a keyword anywhere in a value."""
    if isinstance(value, dict):
        if word in value:
            yield value[word]
        for part in value.values():
            yield from words_in(part, word)
    elif isinstance(value, list):
        for part in value:
            yield from words_in(part, word)
