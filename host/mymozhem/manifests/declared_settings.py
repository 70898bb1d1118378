"""Which settings exist: those that the schema declares, unless it says that it is open.

An object that has `properties` and does not mention `additionalProperties` takes no other names.
JSON Schema alone would accept any, and then a new name could clash with what a room has stored
under it; so every new setting would be a major change.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from pydantic import JsonValue

from .json_pointer import Part, pointer
from .schema_nodes import Node, Schema
from .schema_outline import Outline, outline
from .validation_errors import FieldProblem
from .validators import MAX_ERRORS, Validator, compile_schema

#: keywords by which an object says what becomes of names that it does not declare
OPENERS = ("additionalProperties", "unevaluatedProperties")

#: names that a message lists
_MOST_NAMED = 8


class SettingsValidator:
    """A validator of settings: the schema, and no other names than it declares; thread-safe."""

    def __init__(self, schema: Schema) -> None:
        self._validator: Validator = compile_schema(schema)
        self._outline = outline(schema)
        self._is_closed = any(map(_closes, self._outline.found.nodes.values()))
        self.digest = self._validator.digest

    def is_valid(self, value: JsonValue) -> bool:
        """Return whether settings satisfy the schema and have no undeclared names."""
        return self._validator.is_valid(value) and next(self._undeclared(value), None) is None

    def errors(self, value: JsonValue) -> list[FieldProblem]:
        """Return the first problems of settings; see `Validator.errors`."""
        found = self._validator.errors(value)
        if any(problem.code == "NOT_JSON" for problem in found):
            return found
        known = {problem.pointer for problem in found}
        for problem in self._undeclared(value):
            if len(found) >= MAX_ERRORS:
                break
            if problem.pointer not in known:
                found.append(problem)
        return found

    def _undeclared(self, value: JsonValue) -> Iterator[FieldProblem]:
        return undeclared(self._outline, value) if self._is_closed else iter(())


def undeclared(
    here: Outline, value: JsonValue, path: tuple[Part, ...] = ()
) -> Iterator[FieldProblem]:
    """Yield a problem for each name in a value that the schema does not declare."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from undeclared(here.item(position), item, (*path, position))
        return
    if not isinstance(value, dict):
        return
    closed = is_closed(here)
    for name, part in value.items():
        if closed and not declares(here, name):
            yield FieldProblem(pointer((*path, name)), "UNKNOWN_FIELD", _hint(here, name))
        else:
            yield from undeclared(here.property(name), part, (*path, name))


def declared_only(here: Outline, value: JsonValue) -> JsonValue:
    """Return a value without the names that the schema does not declare.

    A host that accepted any names may have stored some.
    """
    if isinstance(value, list):
        return [declared_only(here.item(position), item) for position, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    closed = is_closed(here)
    return {
        name: declared_only(here.property(name), part)
        for name, part in value.items()
        if not closed or declares(here, name)
    }


def is_closed(here: Outline) -> bool:
    """Return whether an object has no other names than those that its schema declares.

    A part of the schema that holds for every value has `properties`, and none says what becomes of
    other names.
    """
    mentioned = any(node.keyword(word) is not None for node in here.possible for word in OPENERS)
    return not mentioned and any(node.keyword("properties") is not None for node in here.certain)


def declares(here: Outline, name: str) -> bool:
    """Return whether some part of the schema declares a name, or a pattern that it matches."""
    for node in here.possible:
        properties, patterns = node.keyword("properties"), node.keyword("patternProperties")
        if isinstance(properties, dict) and name in properties:
            return True
        for text in patterns if isinstance(patterns, dict) else ():
            if compile_schema({"pattern": text}).is_valid(name):
                return True
    return False


def _closes(node: Node) -> bool:
    open_ = any(node.keyword(word) is not None for word in OPENERS)
    return node.keyword("properties") is not None and not open_


def _hint(here: Outline, name: str) -> str:
    known = list(dict.fromkeys(name for node in here.possible for name in _names(node)))
    close = get_close_matches(name[:100], known, n=1)
    if close:
        return f"the app declares no such setting; did you mean {close[0]!r}?"
    shown = ", ".join(map(repr, known[:_MOST_NAMED]))
    more = ", …" if len(known) > _MOST_NAMED else ""
    return f"the app declares no such setting; it declares {shown}{more}"


def _names(node: Node) -> Iterator[str]:
    properties = node.keyword("properties")
    yield from properties if isinstance(properties, dict) else ()
