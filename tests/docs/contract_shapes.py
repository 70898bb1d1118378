"""Where each shape of the contract is described, and its fields as a table.

A shape that only one hook or effect uses is described on that page; what several use, what the
context holds, and all closed lists are on the page about the contract.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter

from mymozhem import contract
from mymozhem.contract import HOOKS, Context, Refusal, effects, enums, payloads
from mymozhem.contract.effects import Effect
from tests.docs.field_meanings import MEANINGS
from tests.docs.schema_tables import docstring, fields_table, members

EFFECTS: tuple[type[BaseModel], ...] = get_args(get_args(Effect)[0])
CONTRACT = "contract.md"

Schema = dict[str, Any]


def effect_name(effect: type[BaseModel]) -> str:
    """Return the name of an effect in JSON."""
    return str(effect.model_fields["effect"].default)


def hook_page(name: str) -> str:
    """Return the page of a hook, relative to the folder of the reference."""
    return f"hooks/{name}.md"


def effect_page(name: str) -> str:
    """Return the page of an effect, relative to the folder of the reference."""
    return f"effects/{name}.md"


_EFFECT_NAMES = {effect.__name__: effect_name(effect) for effect in EFFECTS}
#: the models that a page begins with
TOPS: dict[str, tuple[type[BaseModel], ...]] = {
    CONTRACT: (Context, Refusal),
    **{hook_page(hook.name): (hook.request, hook.result) for hook in HOOKS},
    **{effect_page(effect_name(effect)): (effect,) for effect in EFFECTS},
}


@cache
def schemas() -> dict[str, Schema]:
    """Return the schema of every shape, by its name."""
    found: dict[str, Schema] = {}
    for model in (model for models in TOPS.values() for model in models):
        schema = TypeAdapter(model).json_schema(by_alias=True, mode="validation")
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return found


def table(model: str, page: str) -> str:
    """Return the fields of a shape as a table on a page."""
    schema = dict(schemas()[model])
    properties = schema.get("properties", {})
    schema["properties"] = {name: each for name, each in properties.items() if name != "effect"}
    meanings = MEANINGS.get(model, {})
    return fields_table(schema, lambda name: link(name, page), meanings)


def link(name: str, page: str) -> str:
    """Return a link from a page to where a shape is described."""
    if name == "JsonValue":
        return "any JSON"
    if name == "Effect":
        return f"[effect]({_path('effects/README.md', page)})"
    if name in _EFFECT_NAMES:
        effect = _EFFECT_NAMES[name]
        return f"[`{effect}`]({_path(effect_page(effect), page)})"
    return f"[{name}]({_path(home(name), page)}#{name.lower()})"


def home(name: str) -> str:
    """Return the page on which a shape is described."""
    users = _users()[name]
    return next(iter(users)) if len(users) == 1 and not is_list(name) else CONTRACT


def shapes_of(page: str) -> list[str]:
    """Return the shapes that a page describes besides those that it begins with."""
    tops = {model.__name__ for models in TOPS.values() for model in models}
    return sorted(
        name
        for name in _users()
        if home(name) == page and name not in tops | {"JsonValue"} and not is_list(name)
    )


def shape_sections(page: str, level: int) -> str:
    """Return the shapes of a page, each with its sentence and its fields."""
    return "\n\n".join(
        f"{'#' * level} {name}\n\n{docstring(named(name))}\n\n{table(name, page)}"
        for name in shapes_of(page)
    )


def closed_lists() -> str:
    """Return all closed lists of the contract, each with what its values mean."""
    return "\n\n".join(_list(name) for name in sorted(_users()) if is_list(name))


def is_list(name: str) -> bool:
    """Return whether a shape is a closed list of values."""
    return "enum" in schemas().get(name, {})


def named(name: str) -> type:
    """Return the class of a shape."""
    for module in (contract, payloads, effects, enums):
        if hasattr(module, name):
            found: type = getattr(module, name)
            return found
    raise LookupError(name)


def shape_names() -> set[str]:
    """Return the names of all shapes that have fields."""
    return {
        name for name, schema in schemas().items() if set(schema.get("properties", {})) - {"effect"}
    }


@cache
def _users() -> dict[str, set[str]]:
    """Return the pages that use each shape; an effect within a result is none of them."""
    users: dict[str, set[str]] = {}
    for page, models in TOPS.items():
        waiting = [model.__name__ for model in models]
        while waiting:
            name = waiting.pop()
            if page in users.setdefault(name, set()):
                continue
            users[name].add(page)
            waiting += [each for each in _refs(schemas()[name]) if each not in _EFFECT_NAMES]
    return users


def _refs(schema: object) -> Iterator[str]:
    parts: Iterable[object] = ()
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield str(schema["$ref"]).rsplit("/", 1)[1]
        parts = schema.values()
    elif isinstance(schema, list):
        parts = schema
    for part in parts:
        yield from _refs(part)


def _list(name: str) -> str:
    enum = named(name)
    assert issubclass(enum, Enum)
    lines = [f"### {name}", "", docstring(enum), "", "| value | means |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{value}` | {said} |" for value, said in members(enum))])


def _path(target: str, page: str) -> str:
    if target == page:
        return ""
    folder, _, name = target.rpartition("/")
    here = page.rpartition("/")[0]
    if folder == here:
        return name
    return f"../{target}" if here else target
