"""The parts of the pages of hooks and effects that follow from the code."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import get_args, get_origin

from pydantic import BaseModel

from mymozhem.contract import HOOKS, AppHooks, Hook, Strategy
from tests.docs.change_table import change_table
from tests.docs.contract_shapes import (
    EFFECTS,
    effect_name,
    effect_page,
    hook_page,
    shape_sections,
    shapes_of,
    table,
)
from tests.docs.limits import EFFECT_LIMITS, HOOK_LIMITS, limits_table
from tests.docs.marked import Parts
from tests.docs.schema_tables import docstring, members

AnyHook = Hook[BaseModel, BaseModel]
LINE_LENGTH = 100
_DELIVERY = "[delivery](../../explanation/deliveries.md): nobody waits for the answer"


def hook_parts() -> Mapping[str, Parts]:
    """Return the parts of each hook's page, by the page."""
    return {hook_page(hook.name): _parts_of_hook(hook) for hook in HOOKS}


def effect_parts() -> Mapping[str, Parts]:
    """Return the parts of each effect's page, by the page."""
    return {effect_page(effect_name(effect)): _parts_of_effect(effect) for effect in EFFECTS}


def hooks_table(path: str) -> str:
    """Return a row for each hook; `path` leads to the folder of the pages."""
    lines = [
        "| hook | capability | does | deadline | if the app fails | a manifest may choose |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for hook in HOOKS:
        others = ", ".join(f"`{each}`" for each in sorted(hook.allowed - {hook.on_failure}))
        lines.append(
            f"| [`{hook.name}`]({path}{hook.name}.md) | `{hook.capability}` | {_sentence(hook)} | "
            f"{hook.deadline_ms / 1000:g} s | `{hook.on_failure}` | {others or 'nothing else'} |"
        )
    return "\n".join(lines)


def effects_table(path: str) -> str:
    """Return a row for each effect; `path` leads to the folder of the pages."""
    lines = ["| effect | in Python | does |", "| --- | --- | --- |"]
    for effect in EFFECTS:
        name = effect_name(effect)
        said = docstring(effect).split("\n\n", 1)[0]
        lines.append(f"| [`{name}`]({path}{name}.md) | `{effect.__name__}` | {said} |")
    return "\n".join(lines)


def signature(hook: AnyHook) -> str:
    """Return how a hook is written down, with its imports."""
    results = _results(hook)
    names = sorted({"Context", hook.request.__name__, *results, "hookimpl"}, key=_import_order)
    taken = f"context: Context, request: {hook.request.__name__}"
    returned = " | ".join(results)
    lines = [f"def {hook.name}({taken}) -> {returned}: ..."]
    if len(lines[0]) > LINE_LENGTH:  # as the formatter breaks it
        lines = [f"def {hook.name}(", f"    {taken}", f") -> {returned}: ..."]
    imports = f"from mymozhem.contract import {', '.join(names)}"
    lines = [imports, "", "", "@hookimpl", *lines]
    return "\n".join(["```python", *lines, "```"])


def _parts_of_hook(hook: AnyHook) -> Parts:
    page = hook_page(hook.name)
    parts: dict[str, Callable[[], str]] = {
        "facts": partial(_hook_facts, hook),
        "signature": partial(signature, hook),
        "request": partial(table, hook.request.__name__, page),
        "result": partial(table, hook.result.__name__, page),
        "limits": partial(limits_table, HOOK_LIMITS[hook.name]),
    }
    if shapes_of(page):
        parts["shapes"] = partial(shape_sections, page, 3)
    if hook.name == "on_room_changed":
        parts["changes"] = change_table
    return parts


def _parts_of_effect(effect: type[BaseModel]) -> Parts:
    name = effect_name(effect)
    page = effect_page(name)
    parts: dict[str, Callable[[], str]] = {
        "fields": partial(table, effect.__name__, page),
        "limits": partial(limits_table, EFFECT_LIMITS[name]),
    }
    if shapes_of(page):
        parts["shapes"] = partial(shape_sections, page, 3)
    return parts


def _hook_facts(hook: AnyHook) -> str:
    said = dict(members(Strategy))
    others = sorted(hook.allowed - {hook.on_failure})
    rows = [
        ("capability", f"`{hook.capability}`"),
        ("kind", "call: the answer decides" if hook.asked else _DELIVERY),
        ("deadline", f"{hook.deadline_ms / 1000:g} s; `policies` of a manifest may change it"),
        ("if the app fails", f"`{hook.on_failure}`: {said[hook.on_failure]}"),
        (
            "a manifest may choose",
            "; ".join(f"`{each}`: {said[each]}" for each in others) or "nothing else",
        ),
        (
            "returning nothing",
            "is the result with its defaults" if hook.empty else "is a failure",
        ),
        ("may raise `Refuse`", "yes" if hook.asked else "no"),
    ]
    lines = ["| property | value |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows)])


def _sentence(hook: AnyHook) -> str:
    return docstring(getattr(AppHooks, hook.name))


def _results(hook: AnyHook) -> list[str]:
    """Return the names of what a hook may return."""
    said = inspect.signature(getattr(AppHooks, hook.name)).return_annotation
    parts = [part for part in get_args(said) if get_origin(part) is not Awaitable]
    return [part.__name__ for part in parts]


def _import_order(name: str) -> tuple[bool, str]:
    return name[0].islower(), name
