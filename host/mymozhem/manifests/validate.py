"""Validate a manifest in layers: format, meaning and safety; report all problems together."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from pydantic import JsonValue, ValidationError

from .embedded_schemas import schema_problems
from .format_checks import format_problems
from .json_pointer import pointer
from .model import Manifest
from .problems import Problem
from .semantic_checks import semantic_problems
from .size_limits import size_problems
from .strict_json import StrictJsonError, from_python, loads
from .unknown_keywords import unknown_keywords

MAX_MANIFEST_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_REPORTED = 200

_HINTS = {
    "TOO_LARGE": "a manifest has 256 KiB at most; leave out what the app can hold itself",
    "TOO_DEEP": "nest 32 levels at most; share schemas under $defs",
    "NOT_UTF8": "save the file as UTF-8",
    "SYNTAX": "write JSON: double quotes, no comments, no comma before a closing bracket",
    "DUPLICATE_KEY": "keep one of the two",
    "NOT_A_NUMBER": "write a number, or null",
    "NUMBER_RANGE": "write large numbers as text",
    "LONE_SURROGATE": r"write the character itself, or both halves of it",
    "CONTROL_CHARACTER": r"remove it; only \n, \r and \t are allowed in texts",
    "NOT_JSON": "make the manifest of plain JSON values; json.load gives such",
}


@dataclass(frozen=True)
class Report:
    """The result of a validation: the problems by pointer, or the manifest if there are none.

    `remarks` are what its author probably did not mean, in a valid manifest.
    """

    problems: tuple[Problem, ...]
    manifest: Manifest | None
    remarks: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """True if the document is a manifest that may be used."""
        return self.manifest is not None


def validate_manifest(
    data: bytes | str | Mapping[str, object], *, registered_as: str | None = None
) -> Report:
    """Check a document, given as bytes or as an object, and return all its problems.

    `registered_as` is the id under which the app is known: the name of its entry point, or `appId`
    in REST. Opens no file and no socket, never raises, and returns the same result every time.
    """
    try:
        document = _read(data)
    except StrictJsonError as error:
        hint = _HINTS.get(error.code, "")
        return Report((Problem(error.pointer, error.code, error.message, hint),), None)
    if not isinstance(document, dict):
        problem = Problem("", "TYPE", "a manifest is an object", 'write {"meta": …}')
        return Report((problem,), None)
    return _checked(document, registered_as)


def _read(data: bytes | str | Mapping[str, object]) -> JsonValue:
    if isinstance(data, bytes | str):
        return loads(data, max_bytes=MAX_MANIFEST_BYTES, max_depth=MAX_DEPTH)
    return from_python(data, max_bytes=MAX_MANIFEST_BYTES, max_depth=MAX_DEPTH)


def _checked(document: dict[str, JsonValue], registered_as: str | None) -> Report:
    found = _problems(document, registered_as)
    if found:
        return Report(found, None)
    try:
        manifest = Manifest.of(document, registered_as=registered_as)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        problems = (Problem(pointer(each["loc"]), "INVALID", each["msg"]) for each in wrong)
        return Report(tuple(problems), None)
    return Report((), manifest, unknown_keywords(document))


def _problems(document: dict[str, JsonValue], registered_as: str | None) -> tuple[Problem, ...]:
    crowded = size_problems(document)
    if crowded:
        return crowded
    shape = set(format_problems(document))
    named = {problem.pointer for problem in shape}
    meaning = semantic_problems(document, registered_as=registered_as)
    beyond = islice((each for each in meaning if each.pointer not in named), MAX_REPORTED)
    return tuple(sorted({*shape, *beyond, *schema_problems(document)}))[:MAX_REPORTED]
