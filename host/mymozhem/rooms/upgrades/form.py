"""What is missing or wrong in settings, told so that a form can be made of it."""

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
    """A setting that somebody has to give, change or take away; `problem` says which.

    `schema` is what the manifest says of it, None where it has no such setting (`code` is then
    UNKNOWN_FIELD, and null takes it away). `default` is in a tuple, as null is one too.
    """

    pointer: str
    code: str
    problem: str
    schema: dict[str, JsonValue] | None = None
    default: tuple[JsonValue, ...] = ()

    @property
    def type(self) -> JsonValue:
        """Return the type that the schema names: a name, a list of them, or None."""
        return (self.schema or {}).get("type")

    @property
    def title(self) -> str | None:
        """Return what the setting is called; None where nothing is said."""
        return _text(self.schema, "title")

    @property
    def description(self) -> str | None:
        """Return what the setting is for; None where nothing is said."""
        return _text(self.schema, "description")


def as_json(field: FormField) -> JsonObject:
    """Return a field as JSON: what a form needs to ask for it. `default` is there where one is."""
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
    """Return the fields that problems of settings are about, in the order of the problems."""
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
    except ValueError:  # the app's own words, which need not be a pointer
        return []


def _schemas(here: Outline) -> Iterator[dict[str, JsonValue]]:
    """Yield what the schema says of a place, that which names a type first."""
    said = [dict(node.schema) for node in here.certain if not isinstance(node.schema, bool)]
    yield from sorted(said, key=lambda schema: "type" not in schema)


def _text(schema: dict[str, JsonValue] | None, word: str) -> str | None:
    said = (schema or {}).get(word)
    return said if isinstance(said, str) else None
