"""Translate the errors of the validator's engine into our own problems."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind

from .json_pointer import Part, pointer


@dataclass(frozen=True)
class FieldProblem:
    """A problem of a value: where (a JSON Pointer), a code for programs, a sentence for people."""

    pointer: str
    code: str
    message: str


class Told(Protocol):
    """A problem with a place and a sentence, from any check."""

    @property
    def pointer(self) -> str:
        """Return the place, as a JSON Pointer."""
        ...

    @property
    def message(self) -> str:
        """Return the sentence."""
        ...


def by_field(problems: Iterable[Told], *, under: str = "") -> dict[str, list[str]]:
    """Return the sentences by field, in order; `under` is the place of the value in its request.

    The value as a whole is `under` itself, or `/` if it is the request.
    """
    fields: dict[str, list[str]] = {}
    for problem in problems:
        fields.setdefault(f"{under}{problem.pointer}" or "/", []).append(problem.message)
    return fields


@dataclass(frozen=True)
class Fault:
    """A problem of a value, and the path of the keyword in the schema that found it."""

    problem: FieldProblem
    schema_path: tuple[Part, ...]


def faults(error: jsonschema_rs.ValidationError) -> Iterator[Fault]:
    """Yield the problems in one error of the engine, field by field.

    A missing, unknown or misnamed field has its own pointer, even if there is no value at it.
    """
    path: list[Part] = list(error.instance_path)
    where = tuple(error.schema_path)
    match error.kind:
        case Kind.Required(property=name):
            yield _fault([*path, name], "REQUIRED", "this field is required", where)
        case Kind.AdditionalProperties(unexpected=names):
            for name in names:
                yield _fault([*path, name], "UNKNOWN_FIELD", "there is no such field here", where)
        case Kind.UnevaluatedProperties(unexpected=names):
            for name in names:
                yield _fault([*path, name], "UNKNOWN_FIELD", "there is no such field here", where)
        case Kind.PropertyNames(error=inner):
            name = str(inner.instance)
            message = "a field may not have this name"
            yield _fault([*path, name], "FIELD_NAME", message, tuple(inner.schema_path))
        case Kind.FalseSchema():
            yield _fault(path, "FALSE_SCHEMA", "nothing is accepted here", where)
        case kind:
            yield _fault(path, _code(kind.name), error.message, where)


def _fault(path: list[Part], code: str, message: str, where: tuple[Part, ...]) -> Fault:
    return Fault(FieldProblem(pointer(path), code, message), where)


def _code(keyword: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", keyword).upper()
