"""Values that a room has shown, by the names of properties: what payloads can be made of."""

from collections.abc import Iterator
from random import Random

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.manifests.validators import compile_schema

#: values kept of each name, and characters of a value that is kept
MAX_VALUES = 40
MAX_TEXT = 200
_DEPTH = 12
#: how often a learned value replaces a made one
_OFTEN = 0.8


class LearnedValues:
    """Collects values by name: `questionId` from `questions: [{id}]`, `team` from `teams: […]`."""

    def __init__(self) -> None:
        self._values: dict[str, list[JsonValue]] = {}

    def add(self, name: str, value: JsonValue) -> None:
        """Remember a value of this name."""
        known = self._values.setdefault(name, [])
        fits = not isinstance(value, dict) and len(str(value)) <= MAX_TEXT
        if fits and value not in known and len(known) < MAX_VALUES:
            known.append(value)

    def learn(self, document: JsonValue) -> None:
        """Remember every named value in a document."""
        for name, value in _named(document, "", _DEPTH):
            self.add(name, value)

    def filled(self, payload: JsonObject, schema: JsonObject | None, chance: Random) -> JsonObject:
        """Return a payload with learned values in it, as far as its schema allows them."""
        if schema is None:
            return payload
        fits = compile_schema(schema).is_valid
        properties = schema.get("properties")
        filled = payload
        for name in properties if isinstance(properties, dict) else ():
            known = self._values.get(name)
            if not known or chance.random() > _OFTEN:
                continue
            changed = {**filled, name: chance.choice(known)}
            filled = changed if fits(changed) else filled
        return filled


def _named(value: JsonValue, name: str, depth: int) -> Iterator[tuple[str, JsonValue]]:
    if depth == 0:
        return
    if isinstance(value, dict):
        for key, each in value.items():
            yield key, each
            yield from _named(each, key, depth - 1)
    elif isinstance(value, list):
        single = name.removesuffix("s")
        short = single.removesuffix("Name").removesuffix("Id")
        for each in value:
            if isinstance(each, dict) and "id" in each:
                yield f"{single}Id", each["id"]
            elif not isinstance(each, dict | list):
                yield single, each
                yield short, each
            yield from _named(each, name, depth - 1)
