"""Describe missing and invalid settings, so that a form can be built from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.manifests.json_pointer import parts
from mymozhem.manifests.schema_outline import Outline
from mymozhem.manifests.validation_errors import Told

#: said of a problem that names no code of its own: the app found it
BY_APP = "APP_PROBLEM"


@dataclass(frozen=True)
class FormField:
    """A setting to be given, changed or removed; `problem` says which.

    `schema` is the setting's schema in the manifest, or None without such a setting (`code` is then
    UNKNOWN_FIELD, and null removes it). `default` is in a tuple, since null is a valid default.
    """

    pointer: str
    code: str
    problem: str
    schema: dict[str, JsonValue] | None = None
    default: tuple[JsonValue, ...] = ()

    @property
    def type(self) -> JsonValue:
        """Return the type that the schema names: a name, a list of names, or None."""
        return (self.schema or {}).get("type")

    @property
    def title(self) -> str | None:
        """Return the title of the setting; None if missing."""
        return _text(self.schema, "title")

    @property
    def description(self) -> str | None:
        """Return the description of the setting; None if missing."""
        return _text(self.schema, "description")


def as_json(field: FormField) -> JsonObject:
    """Return a field as JSON for a form; `default` is present only if the setting has one."""
    entry: JsonObject = {
        "pointer": field.pointer,
        "type": field.type,
        "title": field.title,
        "description": field.description,
        "code": field.code,
        "problem": field.problem,
        "schema": field.schema,
    }
    return entry | ({"default": field.default[0]} if field.default else {})


def form_fields(
    outline: Outline, settings: JsonValue, problems: Iterable[Told]
) -> tuple[FormField, ...]:
    """Return the fields for the problems of settings, in the order of the problems."""
    return tuple(_field(outline, settings, problem) for problem in problems)


def _field(outline: Outline, settings: JsonValue, problem: Told) -> FormField:
    here = _at(outline, settings, problem.pointer)
    return FormField(
        pointer=problem.pointer,
        code=str(getattr(problem, "code", None) or BY_APP),
        problem=problem.message,
        schema=next(_schemas(here), None),
        default=here.default,
    )


def _at(here: Outline, value: JsonValue, place: str) -> Outline:
    for part in _parts(place):
        if isinstance(value, list) and part.isdecimal():
            here = here.item(int(part))
            value = value[int(part)] if int(part) < len(value) else None
        else:
            here = here.property(part)
            value = value.get(part) if isinstance(value, dict) else None
    return here


def _parts(place: str) -> list[str]:
    try:
        return parts(place)
    except ValueError:  # text of the app, which may be no pointer
        return []


def _schemas(here: Outline) -> Iterator[dict[str, JsonValue]]:
    """Yield the schemas that apply to a place; the one that names a type comes first."""
    said = [dict(node.schema) for node in here.certain if not isinstance(node.schema, bool)]
    yield from sorted(said, key=lambda schema: "type" not in schema)


def _text(schema: dict[str, JsonValue] | None, word: str) -> str | None:
    said = (schema or {}).get(word)
    return said if isinstance(said, str) else None
