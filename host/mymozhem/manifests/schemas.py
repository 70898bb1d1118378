"""Validators of schemas that strangers wrote: checked for safety, compiled once, kept by digest."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

import jsonschema_rs
from pydantic import JsonValue

from mymozhem.contract.canonical import digest

from .engine import build
from .nodes import Schema
from .pointers import Part, pointer
from .problems import Problem
from .safety import check_schema

MAX_ERRORS = 50
MAX_KEPT = 1_024


class SchemaRefused(ValueError):
    """The schema may not be used; `problems` say why, with pointers into it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(f"{first.code} at {first.pointer or 'the top'}: {first.message}")


@dataclass(frozen=True)
class FieldProblem:
    """One fault of a value: where (a JSON Pointer), a code for programs, a sentence for people."""

    pointer: str
    code: str
    message: str


class Validator:
    """A compiled schema; may be kept for ever and used from any thread."""

    __slots__ = ("_engine", "digest")

    def __init__(self, engine: jsonschema_rs.Validator, *, digest: str) -> None:
        self._engine = engine
        self.digest = digest

    def is_valid(self, value: JsonValue) -> bool:
        """Tell whether a value satisfies the schema; one that is no JSON does not."""
        try:
            return self._engine.is_valid(value)
        except ValueError:  # lone surrogates, sets, a thousand levels: nothing that JSON could say
            return False

    def errors(self, value: JsonValue) -> list[FieldProblem]:
        """Return the first fifty faults of a value, in the schema's order; none means it is valid.

        A missing or unknown field is named by its own pointer, even though nothing stands there. No
        message repeats the value.
        """
        if self.is_valid(value):
            return []
        try:
            found = [each for error in self._first(value) for each in _told(error)]
        except ValueError:
            return [FieldProblem("", "NOT_JSON", "the value cannot be written as JSON")]
        return list(dict.fromkeys(found))[:MAX_ERRORS]

    def _first(self, value: JsonValue) -> Iterator[jsonschema_rs.ValidationError]:
        return islice(self._engine.iter_errors(value), MAX_ERRORS)


def compile_schema(schema: Schema) -> Validator:
    """Return the validator of a schema; SchemaRefused where the schema is unsafe or none.

    The same schema, by the digest of its canonical JSON, is compiled once. Hold the validator where
    calls are many: the digest costs more than a validation.
    """
    try:
        key = digest(schema)
    except (ValueError, TypeError, RecursionError) as error:
        problem = Problem("", "NOT_JSON", "the schema cannot be written as JSON")
        raise SchemaRefused((problem,)) from error
    return _compiled(_Keyed(key, schema))


@dataclass(frozen=True)
class _Keyed:
    digest: str
    schema: Schema = field(compare=False)


@lru_cache(maxsize=MAX_KEPT)
def _compiled(keyed: _Keyed) -> Validator:
    problems = check_schema(keyed.schema)
    if problems:
        raise SchemaRefused(problems)
    try:
        return Validator(build(keyed.schema), digest=keyed.digest)
    except ValueError as error:
        message = str(error).split("\n", 1)[0]
        raise SchemaRefused((Problem("", "SCHEMA_INVALID", message),)) from error


def _told(error: jsonschema_rs.ValidationError) -> Iterator[FieldProblem]:
    path: list[Part] = list(error.instance_path)
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.Required(property=name):
            yield FieldProblem(pointer([*path, name]), "REQUIRED", "this field is required")
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected=names) | (
            jsonschema_rs.ValidationErrorKind.UnevaluatedProperties(unexpected=names)
        ):
            for name in names:
                yield FieldProblem(pointer([*path, name]), "UNKNOWN_FIELD", "no such field here")
        case kind:
            yield FieldProblem(pointer(path), _code(kind.name), error.message)


def _code(keyword: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", keyword).upper()
