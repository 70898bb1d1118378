"""Validators of untrusted schemas: checked for safety, compiled once, cached by digest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

import jsonschema_rs
from pydantic import JsonValue

from mymozhem.contract.canonical_json import digest

from .problems import Problem
from .schema_engine import build
from .schema_nodes import Node, Schema, index
from .schema_safety import check_schema
from .validation_errors import Fault, FieldProblem, faults

MAX_ERRORS = 50
MAX_KEPT = 1_024
SMALL = 500


class SchemaRefused(ValueError):
    """The schema may not be used; `problems` say why, with pointers into it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(f"{first.code} at {first.pointer or 'the top'}: {first.message}")


class Validator:
    """A compiled schema; thread-safe, and valid for ever."""

    __slots__ = ("_engine", "_is_valid", "_repeats", "digest")

    def __init__(
        self, engine: jsonschema_rs.Validator, *, digest: str, repeats: bool = False
    ) -> None:
        self._engine = engine
        self._is_valid = engine.is_valid  # looked up once, because calls are frequent
        self._repeats = repeats
        self.digest = digest

    def is_valid(self, value: JsonValue) -> bool:
        """Return whether a value satisfies the schema; False for a value that is no JSON."""
        try:
            return self._is_valid(value)
        except ValueError:  # lone surrogates, sets, a thousand levels: JSON cannot express them
            return False

    def errors(self, value: JsonValue) -> list[FieldProblem]:
        """Return the first fifty problems of a value, in the schema's order; none if it is valid.

        A missing or unknown field has its own pointer, even though there is no value at it. No
        message repeats the value. A schema may find thousands of problems in one object of a large
        value, and the engine repeats the whole object for each. So for a large value only the first
        problem is returned.
        """
        try:
            if self._is_valid(value):
                return []
            found = [fault.problem for fault in islice(self._faults(value), MAX_ERRORS)]
        except ValueError:
            return [FieldProblem("", "NOT_JSON", "the value cannot be written as JSON")]
        return list(dict.fromkeys(found))

    def _faults(self, value: JsonValue) -> Iterator[Fault]:
        return (fault for error in self._errors(value) for fault in faults(error))

    def _errors(self, value: JsonValue) -> Iterable[jsonschema_rs.ValidationError]:
        if not self._repeats or _is_small(value):
            return self._engine.iter_errors(value)
        try:
            self._engine.validate(value)
        except jsonschema_rs.ValidationError as error:
            return (error,)
        return ()


def compile_schema(schema: Schema) -> Validator:
    """Return the validator of a schema; SchemaRefused if the schema is unsafe or invalid.

    The same schema, by the digest of its canonical JSON, is compiled once. Keep the validator for
    frequent calls: the digest costs more than a validation.
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
        nodes = index(keyed.schema).nodes.values()
        repeats = any(_repeats(node) for node in nodes)
        return Validator(build(keyed.schema), digest=keyed.digest, repeats=repeats)
    except ValueError as error:
        message = str(error).split("\n", 1)[0]
        raise SchemaRefused((Problem("", "SCHEMA_INVALID", message),)) from error


def _repeats(node: Node) -> bool:
    required = node.keyword("required")
    many = isinstance(required, list) and len(required) > MAX_ERRORS
    return many or node.keyword("propertyNames") is not None


def _is_small(value: JsonValue) -> bool:
    waiting, counted = [value], 0
    while waiting and counted <= SMALL:
        found = waiting.pop()
        counted += 1
        if isinstance(found, dict | list):
            counted += len(found)
            waiting += list(found.values() if isinstance(found, dict) else found)[:SMALL]
    return counted <= SMALL
